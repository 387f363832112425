"""``llm-audit simulate``: compare several policies, or several limits of one, on the same logs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_audit.cli import options
from llm_audit.cli.console import progress as show_progress
from llm_audit.cli.console import say
from llm_audit.cli.table import ListFormat, show, show_parts
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    from llm_audit.audit.simulation.what_if import WhatIf
    from llm_audit.catalog import Catalog
    from llm_audit.document.audit import FrontierPoint, PolicyResult
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
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            metavar="USED=OTHER",
            help="Also send exactly the requests of one model to another, such as gpt-5=gpt-5-mini. Repeatable.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=VALUE",
            help="Condition on the requests of --what-if, such as app=search or tag:customer=acme. Repeatable.",
        ),
    ] = None,
    prices: options.Prices = None,
    since: options.Since = None,
    until: options.Until = None,
    timezone: options.Timezone = None,
    log_format: options.LogFormat = None,
    date_order: options.DateOrder = None,
    key_date: options.KeyDate = None,
    jobs: options.Jobs = None,
    cache: options.Cache = None,
    config_file: options.ConfigFile = None,
    progress: options.ShowProgress = None,
    output_format: ListFormat = "table",
) -> None:
    """Compare policies on the same requests: cost, flagship tax, requests moved and answers expected to be lost."""
    from llm_audit import api, engines
    from llm_audit import config as configuration
    from llm_audit.audit.simulate import Engine
    from llm_audit.audit.simulate import simulate as compare
    from llm_audit.policy import PRESETS, Decision, load
    from llm_audit.report.decisions import measure

    flags = {
        "prices": prices,
        "timezone": timezone,
        "log_format": log_format,
        "date_order": date_order,
        "key_date": key_date,
        "jobs": jobs,
        "cache": cache,
    }
    config = configuration.load(flags, file=config_file).config
    names = policy or [config.policy, *(name for name in PRESETS if name != config.policy)]
    policies = [load(name) for name in names]
    targets = _limits(sweep, policies[0])
    catalog = api.catalog(config)
    what_ifs = _what_ifs(what_if or [], where or [], catalog)
    with engines.open_executor(config.engine, jobs=config.jobs) as executor:
        with show_progress(wanted=progress) as update:
            ledger = api.open_ledger(paths, config=config, progress=update, since=since, until=until, executor=executor)
        with api.steps(ledger, config, executor=executor) as given:
            done = compare(
                ledger,
                policies,
                catalog=catalog,
                book=api.price_book(config),
                options=api.audit_options(config, since=since, until=until),
                targets=targets,
                what_ifs=what_ifs,
                engine=Engine(**given),
            )
    if config.workspace is not None:
        engines.clear_workspace(config.workspace)
    if config.sampling_rate != 1:
        from llm_audit.document.sampling import in_words

        say(f"These logs are declared a sample of {in_words(config.sampling_rate)}: amounts are of the logs alone.")
    rows = [*map(_policy, done.policies), *(_point(names[0], point) for point in done.frontier)]
    if output_format != "table":
        show(rows, output_format)
        return
    decisions = [policy.decision for policy in policies]
    decisions += [Decision.ALWAYS] * len(what_ifs) + [policies[0].decision] * len(done.frontier)
    shown = [_readable(row, measure(decision)) for row, decision in zip(rows, decisions, strict=True)]
    claims = [_claim(row) for row in rows if row["claim"] is not None]
    show_parts({"policies": shown, "claims": claims}, output_format, numeric=_NUMERIC)


def _what_ifs(moves: Sequence[str], where: Sequence[str], catalog: Catalog) -> list[WhatIf]:
    """Read moves and the conditions that all of them have."""
    from llm_audit.audit.simulation.what_if import Condition, WhatIf

    if where and not moves:
        raise UsageError("--where is a condition of --what-if; give one, such as --what-if gpt-5=gpt-5-mini.")
    conditions = [Condition.parse(text) for text in where]
    return [WhatIf.parse(text, conditions, catalog=catalog) for text in moves]


def _policy(found: PolicyResult) -> dict[str, Any]:
    from llm_audit.catalog import router_claim

    preference = found.preference
    claim = router_claim(found.name) or {}
    return {
        "policy": found.name,
        "target": found.target,
        "cost": found.policy_cost,
        "flagship tax": found.flagship_tax,
        "share": found.share,
        "share of its ladders": found.ladder_share,
        "floor": found.floor,
        "ceiling": found.ceiling,
        "moved": found.moved_requests,
        "answers lost": found.lost_answers,
        "gained": found.gained_answers,
        "saved per lost answer": found.saved_per_lost_answer,
        "preference gap": preference and preference.gap,
        "preference gap low": preference and preference.low,
        "preference gap high": preference and preference.high,
        "preference gap known": preference and preference.known_requests,
        "reason": found.reason,
        "claim": claim.get("claim"),
        "claimed share": claim.get("claimed_share"),
        "claim source": claim.get("source"),
        "in use": found.in_use,
    }


def _point(policy: str, point: FrontierPoint) -> dict[str, Any]:
    """Return a row for another limit, with the same keys as those of ``_policy``."""
    return {
        "policy": policy,
        "target": point.target,
        "cost": point.policy_cost,
        "flagship tax": point.flagship_tax,
        "share": point.share,
        "share of its ladders": None,
        "floor": None,
        "ceiling": None,
        "moved": point.moved_requests,
        "answers lost": point.lost_answers,
        "gained": point.gained_answers,
        "saved per lost answer": _each(point.flagship_tax, point.lost_answers),
        "preference gap": None,
        "preference gap low": None,
        "preference gap high": None,
        "preference gap known": None,
        "reason": None,
        "claim": None,
        "claimed share": None,
        "claim source": None,
        "in use": point.in_use,
    }


def _claim(row: dict[str, Any]) -> dict[str, Any]:
    """Return a published claim beside what this log gives: of all its cost, and of that of the router's own models."""
    return {
        "policy": row["policy"],
        "claim": row["claim"],
        "claimed": _saving(row["claimed share"]),
        "this log": "unknown" if row["share"] is None else _saving(row["share"]),
        "of its ladders": _saving(row["share of its ladders"]),
        "answers lost": None if row["answers lost"] is None else f"{row['answers lost']:,.1f}",
        "source": row["claim source"],
    }


def _saving(share: float | None) -> str:
    """Write a saving as a share of the cost, and as the number of times by which the cost falls."""
    if share is None:
        return "none of its models"
    return f"{share:.1%}" if share >= 1 else f"{share:.1%} ({1 / (1 - share):.2f}x)"


_NUMERIC = (
    "cost", "flagship tax", "share", "moved", "answers lost", "gained", "saved per lost answer", "preference gap",
    "claimed", "this log", "of its ladders",
)  # fmt: skip


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
        "cost": amount("cost") or "unknown",
        "flagship tax": amount("flagship tax") or "unknown",
        "share": None if row["share"] is None else f"{row['share']:.1%}",
        "moved": f"{row['moved']:,}",
        "answers lost": answers("answers lost"),
        "gained": answers("gained"),
        "saved per lost answer": amount("saved per lost answer"),
        "preference gap": _gap(row),
        "reason": row["reason"],
    }


def _gap(row: dict[str, Any]) -> str | None:
    """Write the net share of readers who prefer the models used, with the moved requests it is known for."""
    if row["preference gap known"] is None:
        return None
    if row["preference gap"] is None:
        return "unknown"
    known = "" if row["preference gap known"] == row["moved"] else f" (known for {row['preference gap known']:,})"
    return f"{row['preference gap']:+.1%}{known}"


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
