"""The terminal report: a summary on one screen, and every table on request."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from llm_audit.document.audit import Document
from llm_audit.report import table
from llm_audit.report.glossary import GLOSSARY
from llm_audit.report.rhythm import about
from llm_audit.report.rounding import balanced
from llm_audit.report.table import Priority, Table
from llm_audit.report.tables import everything, invoice, spend
from llm_audit.report.terminal.grid import grid
from llm_audit.report.text import money, plain, quoted
from llm_audit.report.verdict import Verdict, verdict

_WIDE = 76
"""Columns from which the first screen has room for its longer notes."""
_DETAIL_ROWS = 15
_WARNINGS = 2
_NARROW = 48
"""Columns below which an amount stands below its title and not beside it."""
_NOTE = 24
"""Least columns of a note beside its figure: none of its words is longer."""
_ROOMY = 110
"""Columns from which the first screen shows every column of the model mix."""


def print_report(document: Document, console: Console, *, details: bool = False) -> None:
    """Print the report. Names from the log are plain text: neither markup nor escapes in them act on the terminal."""
    console.print(_first_screen(document, console.width))
    if document.invoice is not None and not details:
        print_table(invoice.tie_out(document), console, currency=document.currency)
        console.print(Padding(Text(invoice.lead(document)), (1, 1, 0, 1)))
    if details:
        for full in everything(document):
            if full.rows:
                shown = balanced(full, spent=document.cost.actual)
                print_table(shown, console, currency=document.currency)
    elif console.width >= _WIDE:
        console.print(Text(" --details shows routes, groups, gates, tokens, waste and data quality.", style="dim"))


def print_table(full: Table, console: Console, *, currency: str = "USD") -> None:
    """Print one table under its title, at most ``_DETAIL_ROWS`` rows of it."""
    body = grid(table.cap(full, _DETAIL_ROWS), console.width - 2, currency=currency)
    console.print(Padding(Group(Text(full.title, style="bold"), body), (1, 1, 0, 1)))


def print_glossary(console: Console) -> None:
    """Print the glossary of the report's terms."""
    made = Grid.grid(padding=(0, 2))
    made.add_column(no_wrap=True, style="bold")
    made.add_column()
    for word, meaning in GLOSSARY.items():
        made.add_row(word, meaning)
    console.print(made)


def _first_screen(document: Document, width: int) -> Group:
    summary = verdict(document)
    head = Text(document.tool.name, style="bold")
    head.append(f"  {summary.period}, policy {plain(document.policy.name, limit=30)}", style="not bold dim")
    taxed = Decimal(summary.tax_amount or 0) > 0
    facts = [("Spent", Text(summary.spent, style="bold"), summary.spent_note)]
    if summary.rate:
        notes = [*summary.rate_note.split("; ", 1), *([summary.rate_more] if summary.rate_more else [])]
        room = 3 if width >= _ROOMY else 2 if width >= _WIDE else 1
        facts.append(("Run rate", Text(summary.rate, style="bold"), "; ".join(notes[:room])))
    if summary.sampling:
        facts.append(("", Text(), summary.sampling))
    facts.append(("Flagship tax", Text(summary.tax, style="bold red" if taxed else "bold"), summary.tax_note))
    preference = summary.preference if width >= _WIDE else ""
    stakes = summary.stakes if width >= _ROOMY else ""
    said = [sentence for sentence in (summary.quality, preference, summary.unmeasured, stakes) if sentence]
    facts += [("", Text(), sentence) for sentence in said if width >= _WIDE]
    facts.append(("Covered", Text(summary.covered, style="bold"), summary.covered_note))
    facts.append(("Audited", Text(summary.audited, style="bold"), summary.audited_note))
    rejected = [summary.rejected] if summary.rejected else []
    shown = [*rejected, *summary.warnings[: _WARNINGS - (len(rejected) if width < _WIDE else 0)]]
    warnings = [Text(f"! {quoted(plain(warning, limit=3 * width))}", style="yellow") for warning in shown]
    parts = [
        head,
        Text(),
        _facts(facts, width - 2),
        *(Text(sentence) for sentence in said if width < _WIDE),
        *warnings,
        Text(),
        _actions(summary, document.currency, width),
        Text(),
        _mix(document, width),
    ]
    return Group(*(Padding(part, (0, 1)) for part in parts))


def _facts(rows: Sequence[tuple[str, Text, str]], width: int) -> RenderableType:
    """Draw names, figures and notes side by side, or each note below its figure where there is no room for it."""
    names, figures = max(cell_len(name) for name, _, _ in rows), max(figure.cell_len for _, figure, _ in rows)
    if width - names - figures - 4 < _NOTE:
        lines: list[RenderableType] = []
        for name, figure, note in rows:
            lines += [Text(f"{name}  ").append_text(figure)] if name else []
            lines.append(Padding(Text(note), (0, 0, 0, 2)))
        return Group(*lines)
    made = Grid.grid(padding=(0, 2))
    made.add_column(no_wrap=True)
    made.add_column(justify="right", no_wrap=True)
    made.add_column(ratio=1)
    for row in rows:
        made.add_row(*row)
    return made


def _actions(summary: Verdict, currency: str, width: int) -> RenderableType:
    if not summary.actions:
        return Text("No savings were found.", style="dim")
    if width < _NARROW:
        return _stacked_actions(summary, currency)
    made = Grid.grid(padding=(0, 1), expand=width < _ROOMY)  # amounts stand beside their titles
    made.add_column(no_wrap=True)
    made.add_column(ratio=1 if width < _ROOMY else None, overflow="fold")
    made.add_column(justify="right", no_wrap=True)
    monthly = width >= _WIDE and any(finding.monthly is not None for finding in summary.actions)
    heads = [Text("saves", style="dim")]
    if monthly:
        made.add_column(justify="right", no_wrap=True)
        heads.append(Text("a month", style="dim"))
    made.add_row("", Text("Top actions", style="bold"), *heads)
    for index, finding in enumerate(summary.actions, start=1):
        amounts = [money(finding.amount, currency=currency)]
        if monthly and finding.monthly is not None:
            amounts.append(about(finding.monthly, currency))
        made.add_row(f"{index}", Text(quoted(plain(finding.title, limit=200))), *amounts)
    return Group(made, Text(summary.actions_note, style="dim")) if summary.actions_note else made


def _stacked_actions(summary: Verdict, currency: str) -> RenderableType:
    """Write what each action saves below its title."""
    lines: list[RenderableType] = [Text("Top actions", style="bold")]
    for index, finding in enumerate(summary.actions, start=1):
        lines.append(Text(f"{index} {quoted(plain(finding.title, limit=200))}", overflow="fold"))
        saved = Text.assemble(("saves ", "dim"), money(finding.amount, currency=currency))
        lines.append(Padding(saved, (0, 0, 0, 2)))
    return Group(*lines, *([Text(summary.actions_note, style="dim")] if summary.actions_note else []))


def _mix(document: Document, width: int) -> RenderableType:
    full = spend.model_mix(document)
    if not full.rows:
        return Text("No request was audited.", style="dim")
    most = Priority.SPARE if width >= _ROOMY else Priority.NORMAL if width >= _WIDE else Priority.ESSENTIAL
    return grid(table.cap(table.narrowed(full, most), 5), width - 2, currency=document.currency)
