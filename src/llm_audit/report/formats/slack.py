"""A summary for a chat: plain text in a dozen short lines, which Slack, Teams, mail and a terminal show alike."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llm_audit.document.audit import Document
from llm_audit.document.comparison import CheckResult, Outcome
from llm_audit.report.interface import Frames, Options
from llm_audit.report.rhythm import a_month
from llm_audit.report.text import UNKNOWN, count, money, plain, plural, share
from llm_audit.report.verdict import verdict

_MODELS = 3
_ACTING = re.compile(r"[<>@#*`~]|(?<![a-zA-Z0-9])_|_(?![a-zA-Z0-9])")
"""What a chat would read as a link, a mention or a style: broken by a joiner after it."""


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render the summary; names from the log cannot mention or link anything."""
    lines = _lines(document, options.check if options else None)
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(document: Document, check: CheckResult | None) -> Iterator[str]:
    said, currency = verdict(document), document.currency
    if check is not None:
        yield _gates(check)
    yield _quiet(said.headline)
    yield f"Spent {said.spent} ({_quiet(said.spent_note)}), {_quiet(said.period)}."
    if said.rate and said.rate != UNKNOWN:
        yield _quiet(f"Run rate {said.rate} {said.rate_note}.")
    if said.sampling:
        yield _quiet(said.sampling)
    if said.quality:
        yield _quiet(said.quality)
    models = document.model_mix[:_MODELS]
    if models:
        shown = (f"{_quiet(row.model)} {share(row.cost_share)}" for row in models)
        rest = len(document.model_mix) - len(models)
        yield f"Largest models by cost: {', '.join(shown)}{f' and {rest} more' if rest else ''}."
    for number, finding in enumerate(said.actions, 1):
        amount, monthly = money(finding.amount, currency=currency), a_month(finding, currency)
        saved = f"{amount} ({monthly})" if monthly else amount
        yield f"{number}. {saved}: {_quiet(finding.title)} ({plural(finding.requests, 'request')})"
    for warning in said.warnings:
        yield f"Note: {_quiet(warning)}"
    rejected = document.requests.rejected
    if rejected:
        yield f"{count(rejected)} of {plural(document.requests.read, 'record')} could not be read."


def _gates(check: CheckResult) -> str:
    """Write the result of the gates in a line."""
    failed = [rule.rule for rule in check.rules if rule.outcome is Outcome.FAILED]
    if failed:
        return f"FAILED: {len(failed)} of {plural(len(check.rules), 'gate')}: {_quiet(', '.join(failed))}"
    unsure = f", {check.not_evaluated} not evaluated" if check.not_evaluated else ""
    return f"Gates: {check.passed} of {len(check.rules)} passed{unsure}." if check.rules else "No gate was asked for."


def _quiet(text: str) -> str:
    """Return text in which nothing acts on a chat."""
    return _ACTING.sub(lambda found: f"{found[0]}\u2060", plain(text, limit=400))
