"""The report for a reviewer: one HTML file without scripts or network access, under a megabyte for any input."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from msgspec.structs import replace

from llm_audit.document.audit import Document
from llm_audit.report import rounding, table
from llm_audit.report.charts import routing as charts
from llm_audit.report.charts.svg import PALETTE
from llm_audit.report.definitions import Definitions, anchor
from llm_audit.report.glossary import GLOSSARY
from llm_audit.report.interface import Frames, Options
from llm_audit.report.rhythm import a_month
from llm_audit.report.sections import Block, appendix, sections
from llm_audit.report.table import NUMERIC, Cell, Column, ColumnKind, Priority, Table
from llm_audit.report.tables import answers
from llm_audit.report.tables import routing as policy
from llm_audit.report.text import CODE, exact, money, plain
from llm_audit.report.verdict import verdict

_TEMPLATES = Path(__file__).parent.parent / "templates"
_ROWS = 40
_PRINTED_ROWS = 10
"""Rows of a table that are printed; the others are on screen."""
_WARNINGS = 12
_POLICY_CHARS = 20_000


class Shown(msgspec.Struct, kw_only=True, frozen=True):
    """A table as a page shows it: its first rows, then the sums of all, exact and as shown, and a note on rounding."""

    table: Table
    rows: tuple[tuple[Cell, ...], ...]  # as shown
    body: int  # rows before the sums
    note: str


def sentence(text: str, *, limit: int = 300) -> Markup:
    """Write a sentence as HTML: all of it escaped, then its code as ``code`` elements."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(plain(text, limit=limit)))))  # noqa: S704 - escaped before


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render one self-contained page without any script."""
    return page(document, options)


def page(document: Document, options: Options | None, *, data: Mapping[str, str] | None = None) -> bytes:
    """Render the page. Every name is escaped; a content security policy allows only its own style sheet and script.

    Args:
        document: The audit.
        options: A comparison to show.
        data: What the script explores, as JSON by the id of its element; without it there is no script.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    currency = document.currency

    def written(cell: Cell, column: Column) -> str:
        text = table.write(cell, column, currency=currency)
        return sentence(text, limit=len(text)) if column.kind is ColumnKind.PROSE else text

    def unrounded(cell: Cell, column: Column) -> str:
        """Return the exact amount of a rounded cell, or "" where the cell is exact already."""
        if column.kind is not ColumnKind.MONEY or cell in {None, ""}:
            return ""
        amount = exact(str(cell), currency=column.currency or currency)
        return "" if amount.rstrip("0").rstrip(".").endswith(written(cell, column).lstrip("$")) else amount

    def shown(full: Table) -> Shown:
        exact_rows, total = table.cap(full, _ROWS), table.totals(full)
        if total is not None:
            exact_rows = replace(exact_rows, rows=(*exact_rows.rows, total))
        written_rows = rounding.balanced(exact_rows, spent=document.cost.actual)
        body = len(exact_rows.rows) - (total is not None)
        off = rounding.note(
            replace(written_rows, rows=written_rows.rows[:body]),
            None if total is None else written_rows.rows[-1],
            currency=currency,
        )
        return Shown(table=exact_rows, rows=written_rows.rows, body=body, note=off)

    summary = verdict(document)
    define = Definitions().link
    style = environment.get_template("report.css").render(palette=PALETTE)
    script = (_TEMPLATES / "explore.js").read_text(encoding="utf-8") if data else ""
    chapters, annex = sections(document, options.check if options else None), appendix(document)
    written_page = environment.get_template("report.html.j2").render(
        document=document,
        summary=summary,
        estimates=Block(figure=charts.estimates(document), tables=_estimates(document), printed=1),
        sections=chapters,
        appendix=annex,
        details=[section for section in (*chapters, *annex) if section.details],
        glossary=GLOSSARY,
        warnings=[
            sentence(warning, limit=400) for warning in (summary.rejected, *summary.warnings[:_WARNINGS]) if warning
        ],
        policy_toml="\n".join(plain(line, limit=200) for line in document.policy.toml[:_POLICY_CHARS].splitlines()),
        command=plain(document.command, limit=1000),
        style=style,
        style_hash=_digest(style),
        script=script,
        script_hash=_digest(script),
        data=data or {},
        written=written,
        unrounded=unrounded,
        shown=shown,
        numeric=NUMERIC,
        printed_rows=_PRINTED_ROWS,
        define=define,
        anchor=anchor,
        prose=ColumnKind.PROSE,
        spare=Priority.SPARE,
        money=lambda amount: money(amount, currency=currency),
        a_month=lambda finding: a_month(finding, currency),
        exact=lambda amount: exact(amount, currency=currency),
        plain=plain,
        sentence=sentence,
    )
    return written_page.encode("utf-8")


def _digest(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _estimates(document: Document) -> tuple[Table, ...]:
    makers = (policy.estimates, policy.interval, answers.answers, answers.unmeasured)
    return tuple(made for make in makers if (made := make(document)).rows)
