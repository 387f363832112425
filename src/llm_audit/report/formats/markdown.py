"""Markdown for a pull request, mail and chat, readable as plain text too: no HTML, and tables with aligned columns.

The result comes first. The heading is the mark by which a workflow finds its earlier comment and updates it in place.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from llm_audit.document.audit import Document
from llm_audit.document.comparison import CheckResult, InconclusiveIs, Outcome
from llm_audit.report import table
from llm_audit.report.interface import Frames, Options
from llm_audit.report.rhythm import a_month
from llm_audit.report.rounding import balanced
from llm_audit.report.table import NUMERIC, Column, ColumnKind, Priority, Table
from llm_audit.report.tables import answers, billing, judgement, rhythm, spend, waste
from llm_audit.report.tables import check as check_tables
from llm_audit.report.tables import quality as data
from llm_audit.report.tables import routing as policy
from llm_audit.report.text import CODE, money, plain, plural, words
from llm_audit.report.verdict import verdict

MARKER = "### llm-audit:"
"""The beginning of the first line, by which a workflow finds its earlier comment."""
LIMIT = 60_000
"""Characters at most; GitHub allows 65,536 in a comment."""
_ROWS = 8
_GATES = 12
_WIDTH = 76
"""Characters that a line of a table may have before less needed columns are left out."""
_SIGNS = {Outcome.FAILED: "❌", Outcome.INCONCLUSIVE: "⚠️", Outcome.NOT_EVALUATED: "⚪", Outcome.PASSED: "✅"}
_MARKUP = re.compile(
    r"[\\`*|~]|\](?=[(\[:])|\[(?=\^)|(?<!\w)_|_(?!\w)|\$(?!\d)|&(?=[#\w])|!(?=[\d\[])|:(?=//|[\w+-]+:)|(?<=[wW]{3})\."
    r"|\A(?:[-+#](?=\s|#|\Z)|[=>])"
)
"""Characters with a meaning where they stand: emphasis, code, links, tables, mathematics, entities, lists."""
_NUMBERED = re.compile(r"\A(\d+)(?=[.)](?:\s|\Z))")


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render Markdown for GitHub and GitLab. Names are code spans, so nothing in them links, mentions or runs."""
    check = options.check if options else None
    summary = verdict(document)
    title = _title(check)
    parts = [f"{MARKER} {escape(title or summary.headline)}"]
    if check is not None and title is not None:
        parts += [_rules(check), escape(summary.headline)]
    facts = (
        ("Spent", summary.spent, summary.spent_note),
        *(
            ("Run rate", rate, f"{summary.rate_note}; {summary.rate_more}".rstrip("; "))
            for rate in (summary.rate,)
            if rate
        ),
        ("Flagship tax", summary.tax, summary.tax_note),
        ("Covered", summary.covered, summary.covered_note),
        ("Audited", summary.audited, summary.audited_note),
    )
    parts.append(
        "\n".join(f"- {name}: **{escape(figure)}**{_joint(note)}{escape(note)}" for name, figure, note in facts)
    )
    said = (summary.sampling, summary.quality, summary.preference, summary.unmeasured, summary.stakes)
    parts += [escape(line) for line in said if line]
    if summary.actions:
        rows = []
        for index, finding in enumerate(summary.actions, start=1):
            what = f"{plain(finding.title, limit=300)}. {plain(finding.action, limit=300)}"
            monthly = a_month(finding, document.currency)
            saved = f"**{escape(money(finding.amount, currency=document.currency))}**"
            rows.append(f"{index}. {saved}{escape(f' ({monthly})' if monthly else '')} {sentence(what)}")
        parts.append("\n".join(["**Top actions**", "", *rows]))
        if summary.actions_note:
            parts.append(escape(summary.actions_note))
    parts.append(escape(f"{summary.period}, policy {plain(document.policy.name)}."))
    compared = None if check is None else check.comparison
    parts += [escape(plain(note, limit=400)) for note in (compared.notes if compared else ())]
    text = "\n\n".join(parts)
    for block in _tables(document, check):
        if len(text) + len(block) + 4 > LIMIT:
            break
        text += f"\n\n{block}"
    return f"{text}\n".encode()


def _joint(note: str) -> str:
    """Return what separates a figure from its note: nothing but a space where the note continues the figure."""
    return " " if note.startswith(("of ", "a month")) else ", "


def escape(text: str) -> str:
    r"""Escape what Markdown, HTML or mentions give a meaning where it stands, so that a sentence reads as it is.

    >>> print(escape("total_cost rose (+20%): $1.20 of *all* in a|b"))
    total_cost rose (+20%): $1.20 of \*all\* in a\|b
    """
    quoted = _NUMBERED.sub(r"\1\\", _MARKUP.sub(r"\\\g<0>", text))
    joined = re.sub(r"@(?=\w)|#(?=\w)", lambda found: f"{found[0]}\u2060", quoted)
    return joined.replace("<", "&lt;")


def sentence(text: str) -> str:
    """Escape a sentence, and keep its code as code spans."""
    parts = CODE.split(text)
    return "".join(code(part) if index % 2 else escape(part) for index, part in enumerate(parts))


def code(name: str) -> str:
    """Write a name as a code span that is safe in a table cell."""
    if not name:
        return ""
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in name).split()), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{name}{pad}{fence}".replace("|", "\\|")


def _title(check: CheckResult | None) -> str | None:
    if check is None or not check.rules:
        return None
    if check.failed or check.inconclusive or check.not_evaluated:
        return check_tables.outcomes(check)
    return f"{plural(len(check.rules), 'gate')} passed"


def _rules(check: CheckResult) -> str:
    lines = []
    failing = check.inconclusive_is is InconclusiveIs.FAILURE
    for rule in check.rules[:_GATES]:
        why = escape(plain(rule.message, limit=600))
        sign = _SIGNS[Outcome.FAILED if failing and rule.outcome is Outcome.INCONCLUSIVE else rule.outcome]
        lines.append(f"- {sign} {code(plain(rule.rule))} {words(rule.outcome)}: {why}")
    rest = len(check.rules) - _GATES
    return "\n".join([*lines, f"- and {rest} more"] if rest > 0 else lines)


def _tables(document: Document, check: CheckResult | None) -> list[str]:
    compared: list[Table] = []
    if check is not None and check.comparison is not None:
        makers = (check_tables.sides, check_tables.variance, check_tables.groups, check_tables.metrics)
        compared = [make(check.comparison) for make in makers]
    groups = {grouped.key: grouped for grouped in spend.groups(document)}
    full = [
        *compared,
        spend.model_mix(document),
        *([billing.by_basis(document)] if document.billing and document.billing.declared else []),
        rhythm.departures(document),
        policy.estimates(document),
        answers.answers(document),
        policy.routes(document),
        *(groups[key] for key in ("by_team", "by_app") if key in groups),
        policy.coverage(document),
        policy.gates(document),
        judgement.stakes(document),
        waste.waste(document),
        data.quality(document),
        judgement.languages(document),
        data.accounting(document),
        data.unpriced(document),
    ]
    return [_aligned(balanced(shown, spent=document.cost.actual), document.currency) for shown in full if shown.rows]


def _aligned(full: Table, currency: str) -> str:
    """Write a table with columns of one width; those that are less needed are left out where it is too wide."""
    shown = table.cap(full, _ROWS)
    lines: list[str] = []
    for kept in (
        table.narrowed(shown, Priority.NORMAL),
        _without_prose(shown),
        table.narrowed(shown, Priority.ESSENTIAL),
    ):
        if len(kept.columns) > 1 or not lines:
            lines = _lines(kept, currency)
        if len(lines[0]) <= _WIDTH:
            break
    note = ["", escape(full.note)] if full.note else []
    return "\n".join([f"#### {escape(full.title)}", "", *lines, *note])


def _without_prose(shown: Table) -> Table:
    columns = tuple(
        replace(column, priority=Priority.SPARE) if column.kind is ColumnKind.PROSE and index else column
        for index, column in enumerate(shown.columns)
    )
    return table.narrowed(replace(shown, columns=columns), Priority.NORMAL)


def _lines(shown: Table, currency: str) -> list[str]:
    right = [column.kind in NUMERIC for column in shown.columns]
    rows = [[escape(column.title) for column in shown.columns]]
    rows += [[_cell(cell, col, currency) for cell, col in zip(row, shown.columns, strict=True)] for row in shown.rows]
    widths = [max(3, *(len(row[index]) for row in rows)) for index in range(len(right))]
    rules = [f"{'-' * (width - 1)}:" if end else "-" * width for width, end in zip(widths, right, strict=True)]
    padded = (
        [cell.rjust(width) if end else cell.ljust(width) for cell, width, end in zip(row, widths, right, strict=True)]
        for row in (rows[0], rules, *rows[1:])
    )
    return [f"| {' | '.join(row)} |" for row in padded]


def _cell(cell: table.Cell, column: Column, currency: str) -> str:
    written = table.write(cell, column, currency=currency)
    if column.kind is ColumnKind.PROSE:
        return sentence(written)
    return code(written) if column.kind is ColumnKind.TEXT else escape(written)
