"""``llm-audit simulate``: compare several policies, or several targets of one, on the same logs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from llm_audit.cli import options
from llm_audit.cli.console import progress as show_progress
from llm_audit.cli.table import ListFormat, show
from llm_audit.errors import UsageError


def simulate(
    paths: options.Paths,
    *,
    policy: Annotated[
        list[str] | None, typer.Option(help="Policy: a preset or a TOML file; the first counts as in use. Repeatable.")
    ] = None,
    sweep: Annotated[
        str | None, typer.Option(help="Targets to try for the first policy, such as 0.5,0.75,0.9.")
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

    flags = {"prices": prices, "timezone": timezone, "log_format": log_format, "jobs": jobs, "cache": cache}
    config = configuration.load(flags, file=config_file).config
    names = policy or [config.policy, *(name for name in PRESETS if name != config.policy)]
    policies, targets = [load(name) for name in names], _targets(sweep)
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
            "in use": point.in_use,
        }
        for point in done.frontier
    ]
    if output_format == "table":
        rows = [_readable(row) for row in rows]
    show(rows, output_format, numeric=_NUMERIC)


_MONEY = ("cost", "flagship tax", "floor", "ceiling")
_NUMERIC = ("target", *_MONEY, "share", "moved", "answers lost", "gained", "saved per lost answer")


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """Round a row for reading: amounts to the cent, shares in percent. JSON has them unrounded."""
    amounts = {name: None if row[name] is None else f"{float(row[name]):,.2f}" for name in _MONEY}
    failures = row["answers lost"]
    return {
        **row,
        **amounts,
        "share": None if row["share"] is None else f"{row['share']:.1%}",
        "moved": f"{row['moved']:,}",
        "answers lost": None if failures is None else f"{failures:,.1f}",
        "in use": "*" if row["in use"] else None,
    }


def _targets(text: str | None) -> list[float]:
    if text is None:
        return []
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = [-1.0]
    if not all(0 < target <= 100 for target in found):
        raise UsageError(
            f"--sweep {text!r} is not a list of numbers; write answers lost in 100, such as 0.5,1,2, or targets to 1."
        )
    return found
