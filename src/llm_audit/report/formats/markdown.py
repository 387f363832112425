"""A pull request comment: the result first, the tables folded, and a marker so that it can be updated in place."""

from __future__ import annotations

import string

from llm_audit.document.audit import Document
from llm_audit.document.comparison import CheckResult, Outcome
from llm_audit.report import table
from llm_audit.report.interface import Frames, Options
from llm_audit.report.rounding import balanced
from llm_audit.report.table import NUMERIC, Column, ColumnKind, Priority, Table
from llm_audit.report.tables import answers, judgement, spend
from llm_audit.report.tables import check as check_tables
from llm_audit.report.tables import quality as data
from llm_audit.report.tables import routing as policy
from llm_audit.report.text import CODE, money, plain, plural, words
from llm_audit.report.verdict import verdict

MARKER = "<!-- llm-audit -->"
"""The first line, by which a workflow finds its earlier comment."""
LIMIT = 60_000
"""Characters at most; GitHub allows 65,536 in a comment."""
_ROWS = 12
_SIGNS = {Outcome.FAILED: "❌", Outcome.NOT_EVALUATED: "⚪", Outcome.PASSED: "✅"}


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render Markdown for GitHub and GitLab. Names are code spans, so nothing in them links, mentions or runs."""
    check = options.check if options else None
    summary = verdict(document)
    title = _title(check)
    parts = [MARKER, f"### {escape(title or summary.headline)}"]
    if check is not None and title is not None:
        parts += [_rules(check), escape(summary.headline)]
    facts = (
        ("Spent", summary.spent, summary.spent_note),
        ("Flagship tax", summary.tax, summary.tax_note),
        ("Covered", summary.covered, summary.covered_note),
        ("Audited", summary.audited, summary.audited_note),
    )
    parts.append(
        "\n".join(["| | | |", "|:--|--:|:--|", *(f"| {a} | **{escape(b)}** | {escape(c)} |" for a, b, c in facts)])
    )
    said = (summary.quality, summary.preference, summary.unmeasured, summary.stakes)
    parts += [escape(line) for line in said if line]
    if summary.actions:
        rows = []
        for index, finding in enumerate(summary.actions, start=1):
            what = f"{plain(finding.title, limit=300)}. {plain(finding.action, limit=300)}"
            rows.append(f"{index}. **{escape(money(finding.amount, currency=document.currency))}** {sentence(what)}")
        parts.append("\n".join(["**Top actions**", "", *rows]))
        if summary.actions_note:
            parts.append(escape(summary.actions_note))
    parts.append(escape(f"{summary.period}, policy {plain(document.policy.name)}."))
    text = "\n\n".join(parts)
    for block in _folded(document, check):
        if len(text) + len(block) + 4 > LIMIT:
            break
        text += f"\n\n{block}"
    return f"{text}\n".encode()


def escape(text: str) -> str:
    """Escape every character that Markdown, HTML or mentions give a meaning."""
    quoted = (f"\\{char}" if char in string.punctuation and char not in "%,;-'\"" else char for char in text)
    return (
        "".join(quoted).replace("@", "@\u2060").replace("#", "#\u2060").replace("\\<", "&lt;").replace("\\&", "&amp;")
    )


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
    if check.failed:
        return f"{check.failed:,} of {len(check.rules):,} gates failed"
    if check.not_evaluated:
        return f"No gate failed; {check.not_evaluated:,} of {len(check.rules):,} gates not evaluated"
    return f"{plural(len(check.rules), 'gate')} passed"


def _rules(check: CheckResult) -> str:
    lines = []
    for rule in check.rules[:_ROWS]:
        why = escape(plain(rule.message, limit=600))
        lines.append(f"- {_SIGNS[rule.outcome]} {code(plain(rule.rule))} {words(rule.outcome)}: {why}")
    rest = len(check.rules) - _ROWS
    return "\n".join([*lines, f"- and {rest} more"] if rest > 0 else lines)


def _folded(document: Document, check: CheckResult | None) -> list[str]:
    compared: list[Table] = []
    if check is not None and check.comparison is not None:
        makers = (check_tables.sides, check_tables.variance, check_tables.groups, check_tables.metrics)
        compared = [make(check.comparison) for make in makers]
    groups = {grouped.key: grouped for grouped in spend.groups(document)}
    full = [
        *compared,
        spend.model_mix(document),
        policy.estimates(document),
        answers.answers(document),
        policy.findings(document),
        policy.routes(document),
        *(groups[key] for key in ("by_team", "by_app") if key in groups),
        policy.coverage(document),
        policy.gates(document),
        judgement.stakes(document),
        spend.waste(document),
        data.quality(document),
        judgement.languages(document),
        data.accounting(document),
        data.unpriced(document),
        data.fingerprints(document),
    ]
    return [_fold(balanced(shown, spent=document.cost.actual), document.currency) for shown in full if shown.rows]


def _fold(full: Table, currency: str) -> str:
    shown = table.narrowed(table.cap(full, _ROWS), Priority.NORMAL)
    lines = [
        "| " + " | ".join(escape(column.title) for column in shown.columns) + " |",
        "|" + "|".join("--:" if column.kind in NUMERIC else ":--" for column in shown.columns) + "|",
    ]
    lines += [
        "| " + " | ".join(_cell(cell, col, currency) for cell, col in zip(row, shown.columns, strict=True)) + " |"
        for row in shown.rows
    ]
    body = "\n".join(lines)
    return f"<details><summary>{escape(full.title)}</summary>\n\n{body}\n\n</details>"


def _cell(cell: table.Cell, column: Column, currency: str) -> str:
    written = table.write(cell, column, currency=currency)
    if column.kind is ColumnKind.PROSE:
        return sentence(written)
    return code(written) if column.kind is ColumnKind.TEXT else escape(written)
