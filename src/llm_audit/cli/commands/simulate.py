"""``llm-audit simulate``: compare several policies, or several limits of one, on the same logs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_audit.cli import options
from llm_audit.cli.console import progress as show_progress
from llm_audit.cli.table import ListFormat, show
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    from llm_audit.policy import Policy
    from llm_audit.report.decisions import Measure


def simulate(
    paths: options.Paths,
    *,
    policy: Annotated[
        list[str] | None, typer.Option(help="Policy: a preset or a TOML file; the first counts as in use. Repeatable.")
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(help="Limits to try for the first policy: answers lost in 100, such as 0.5,1,2, or its targets."),
    ] = None,
    prices: options.Prices = None,
    since: options.Since = None,
    until: options.Until = None,
    timezone: options.Timezone = None,
    log_format: options.LogFormat = None,
    jobs: options.Jobs = None,
    cache: options.Cache = None,
    config_file: options.ConfigFile = None,
    progress: options.ShowProgress = None,
    output_format: ListFormat = "table",
) -> None:
    """Compare policies on the same requests: cost, flagship tax, requests moved and answers expected to be lost."""
    from llm_audit import api
    from llm_audit import config as configuration
    from llm_audit.audit.simulate import simulate as compare
    from llm_audit.policy import PRESETS, load
    from llm_audit.report.decisions import measure

    flags = {"prices": prices, "timezone": timezone, "log_format": log_format, "jobs": jobs, "cache": cache}
    config = configuration.load(flags, file=config_file).config
    names = policy or [config.policy, *(name for name in PRESETS if name != config.policy)]
    policies = [load(name) for name in names]
    targets = _limits(sweep, policies[0])
    with show_progress(wanted=progress) as update:
        ledger = api.open_ledger(paths, config=config, progress=update)
    done = compare(
        ledger,
        policies,
        catalog=api.catalog(config),
        book=api.price_book(config),
        options=api.audit_options(config, since=since, until=until),
        targets=targets,
    )
    rows: list[dict[str, Any]] = [
        {
            "policy": row.name,
            "target": row.target,
            "cost": row.policy_cost,
            "flagship tax": row.flagship_tax,
            "share": row.share,
            "floor": row.floor,
            "ceiling": row.ceiling,
            "moved": row.moved_requests,
            "answers lost": row.lost_answers,
            "gained": row.gained_answers,
            "saved per lost answer": row.saved_per_lost_answer,
            "reason": row.reason,
            "in use": row.in_use,
        }
        for row in done.policies
    ]
    rows += [
        {
            "policy": names[0],
            "target": point.target,
            "cost": point.policy_cost,
            "flagship tax": point.flagship_tax,
            "share": point.share,
            "floor": None,
            "ceiling": None,
            "moved": point.moved_requests,
            "answers lost": point.lost_answers,
            "gained": point.gained_answers,
            "saved per lost answer": _each(point.flagship_tax, point.lost_answers),
            "reason": None,
            "in use": point.in_use,
        }
        for point in done.frontier
    ]
    if output_format == "table":
        decisions = [policy.decision for policy in policies] + [policies[0].decision] * len(done.frontier)
        rows = [_readable(row, measure(decision)) for row, decision in zip(rows, decisions, strict=True)]
    show(rows, output_format, numeric=_NUMERIC)


_NUMERIC = ("cost", "flagship tax", "share", "moved", "answers lost", "gained", "saved per lost answer")


def _each(saved: str, lost: float | None) -> str | None:
    """Return the saving for each lost answer; None where none is lost."""
    return f"{round(Decimal(saved) / Decimal(str(lost)), 12):f}" if lost else None


def _readable(row: dict[str, Any], measure: Measure) -> dict[str, Any]:
    """Round a row for reading: amounts to the cent, shares in percent. JSON has them unrounded, and more of them."""

    def amount(name: str) -> str | None:
        return None if row[name] is None else f"{float(row[name]):,.2f}"

    def answers(name: str) -> str | None:
        return None if row[name] is None else f"{row[name]:,.1f}"

    value = row["target"]
    return {
        "in use": "*" if row["in use"] else None,
        "policy": row["policy"],
        "decides by": None if value is None else f"{measure.name} {measure.write(value)}{measure.unit}",
        "cost": amount("cost"),
        "flagship tax": amount("flagship tax"),
        "share": None if row["share"] is None else f"{row['share']:.1%}",
        "moved": f"{row['moved']:,}",
        "answers lost": answers("answers lost"),
        "gained": answers("gained"),
        "saved per lost answer": amount("saved per lost answer"),
        "reason": row["reason"],
    }


def _limits(text: str | None, policy: Policy) -> list[float]:
    """Return the values to try of the number that the policy decides by."""
    from llm_audit.policy import ANSWERS, Decision

    if text is None:
        return []
    by_loss = policy.decision is Decision.QUALITY_LOSS
    most, such = (ANSWERS, "0.5,1,2") if by_loss else (1, "0.5,0.75,0.9")
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = [-1.0]
    if not all(0 < value <= most for value in found):
        unit = "answers lost in 100" if by_loss else "numbers above 0 and up to 1"
        raise UsageError(f"--sweep {text!r} does not fit policy {policy.name!r}; write {unit}, such as {such}.")
    return found
