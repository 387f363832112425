"""The terminal report: one screen that answers, and the rest on request."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from llm_audit.audit.document import Document
from llm_audit.report import table
from llm_audit.report.glossary import GLOSSARY
from llm_audit.report.table import NUMERIC, Table
from llm_audit.report.tables import everything, spend
from llm_audit.report.text import UNKNOWN, money, plain
from llm_audit.report.verdict import verdict

_WIDE = 76
"""Columns from which the first screen has room for its longer notes."""
_DETAIL_ROWS = 15
_ROOMY = 110
"""Columns from which tables show what can be spared."""


def print_report(document: Document, console: Console, *, details: bool = False) -> None:
    """Print the report. Names from the log are plain text: neither markup nor escapes in them act on the terminal."""
    console.print(_first_screen(document, console.width))
    if details:
        for whole in everything(document):
            if whole.rows:
                print_table(whole, console, currency=document.currency)
    elif console.width >= _WIDE:
        console.print(Text(" --details shows routes, groups, gates, tokens, waste and data quality.", style="dim"))


def print_table(whole: Table, console: Console, *, currency: str = "USD") -> None:
    """Print one table under its title, at most ``_DETAIL_ROWS`` rows of it."""
    body = _grid(table.cap(whole, _DETAIL_ROWS), currency, _titles(whole, console.width))
    console.print(Padding(Group(Text(whole.title, style="bold"), body), (1, 1, 0, 1)))


def print_glossary(console: Console) -> None:
    """Print what the report's words mean."""
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column()
    for word, meaning in GLOSSARY.items():
        grid.add_row(word, meaning)
    console.print(grid)


def _first_screen(document: Document, width: int) -> Group:
    said = verdict(document)
    head = Text(document.tool.name, style="bold")
    head.append(f"  {said.period}, policy {plain(document.policy.name, limit=30)}", style="not bold dim")
    taxed = said.tax != UNKNOWN and Decimal(document.flagship_tax.expected.amount) > 0
    facts = Grid.grid(padding=(0, 2))
    facts.add_column(no_wrap=True)
    facts.add_column(justify="right", no_wrap=True)
    facts.add_column(ratio=1)
    facts.add_row("Spent", Text(said.spent, style="bold"), said.spent_note)
    facts.add_row("Flagship tax", Text(said.tax, style="bold red" if taxed else "bold"), said.tax_note)
    facts.add_row("", "", said.range_note)
    facts.add_row("Covered", Text(said.covered, style="bold"), said.covered_note)
    facts.add_row("Audited", Text(said.audited, style="bold"), said.audited_note)
    warnings = [Text(f"! {plain(warning, limit=3 * width)}", style="yellow") for warning in document.warnings[:2]]
    parts = [head, Text(), facts, *warnings, Text(), _actions(document), Text(), _mix(document, width)]
    return Group(*(Padding(part, (0, 1)) for part in parts))


def _actions(document: Document) -> RenderableType:
    actions = verdict(document).actions
    if not actions:
        return Text("Nothing to act on was found.", style="dim")
    grid = Grid.grid(padding=(0, 1), expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row("", Text("Do first", style="bold"), Text("saves", style="dim"))
    for index, finding in enumerate(actions, start=1):
        grid.add_row(
            f"{index}", Text(plain(finding.title, limit=200)), money(finding.amount, currency=document.currency)
        )
    return grid


def _mix(document: Document, width: int) -> RenderableType:
    whole = table.cap(spend.model_mix(document), 5)
    if not whole.rows:
        return Text("No request was audited.", style="dim")
    wanted = _titles(whole, width)
    return _grid(whole, document.currency, wanted if width >= _WIDE else wanted - {"Tier", "of tokens"})


def _titles(whole: Table, width: int) -> set[str]:
    return {column.title for column in whole.columns if width >= _ROOMY or not column.wide}


def _grid(shown: Table, currency: str, wanted: set[str]) -> Grid:
    grid = Grid(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    keep = [(index, column) for index, column in enumerate(shown.columns) if column.title in wanted]
    for _, column in keep:
        numeric = column.kind in NUMERIC
        grid.add_column(Text(column.title), justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for row in shown.rows:
        grid.add_row(*(Text(table.write(row[index], column, currency=currency, limit=60)) for index, column in keep))
    return grid
