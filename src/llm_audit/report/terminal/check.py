"""The terminal report of a comparison and its gates: a line for each rule, then the changes."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from llm_audit.document.comparison import CheckResult, Comparison, Outcome
from llm_audit.report.tables import check as tables
from llm_audit.report.terminal.screen import print_table
from llm_audit.report.text import plain, words

_STYLES = {
    Outcome.FAILED: "bold red",
    Outcome.INCONCLUSIVE: "bold yellow",
    Outcome.NOT_EVALUATED: "yellow",
    Outcome.PASSED: "green",
}
_GROUPS = 4
_SHARES = 6


def print_check(check: CheckResult, console: Console) -> None:
    """Print the outcome of every rule, and the comparison where there is one."""
    if check.rules:
        console.print(Padding(Text(tables.outcomes(check), style="bold"), (0, 1)))
        grid = Grid.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(ratio=1)
        for rule in check.rules:
            why = Text(plain(rule.rule), style="bold").append(f"  {plain(rule.message, limit=600)}", style="not bold")
            grid.add_row(Text(words(rule.outcome), style=_STYLES[rule.outcome]), why)
        console.print(Padding(grid, (0, 1)))
    if check.comparison is not None:
        _print_comparison(check.comparison, console)


def _print_comparison(comparison: Comparison, console: Console) -> None:
    for note in comparison.notes:
        console.print(Padding(Text(f"! {plain(note, limit=400)}", style="yellow"), (0, 1)))
    shown = (
        tables.sides(comparison), tables.variance(comparison), tables.groups(_moved(comparison)),
        tables.mix(_shifted(comparison)),
    )  # fmt: skip
    for full in shown:
        if full.rows:
            print_table(full, console)
        if full.note:
            console.print(Padding(Text(full.note, style="dim"), (0, 1)))
    if sentence := tables.realised(comparison):
        console.print(Padding(Text(sentence), (1, 1, 0, 1)))


def _moved(comparison: Comparison) -> Comparison:
    """Keep the groups of a comparison that changed most, a few of each kind."""
    seen: Counter[str] = Counter()
    kept = []
    for row in comparison.groups:
        if Decimal(row.change) and seen[row.group] < _GROUPS:
            seen[row.group] += 1
            kept.append(row)
    return msgspec.structs.replace(comparison, groups=kept)


def _shifted(comparison: Comparison) -> Comparison:
    """Keep the shares of the model mix that changed most."""
    shares = [m for m in comparison.metrics if m.metric.startswith(("model_share[", "cost_share[")) and m.change]
    shares.sort(key=lambda m: -abs(m.change or 0))
    return msgspec.structs.replace(comparison, metrics=shares[:_SHARES])
