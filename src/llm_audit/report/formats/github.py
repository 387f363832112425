"""GitHub Actions annotations: workflow commands on standard output."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.document.comparison import CheckResult, InconclusiveIs, Outcome, Rule
from llm_audit.report.interface import Frames, Options
from llm_audit.report.text import plain, words
from llm_audit.report.verdict import verdict

_MOST = 10
"""The most annotations of one level that GitHub shows for a step."""
_LEVELS = ("error", "warning", "notice")
_UNSURE = {InconclusiveIs.FAILURE: "error", InconclusiveIs.WARNING: "warning", InconclusiveIs.PASSED: "notice"}


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render an error for each failed gate, a warning for each without an answer, and a notice with the headline."""
    options = options or Options()
    lines = _rules(options.check) if options.check else []
    lines += [_command("warning", "LLM spend audit", warning) for warning in document.warnings[:_MOST]]
    lines.append(_command("notice", "LLM spend audit", verdict(document).headline))
    return "".join(f"{line}\n" for line in lines).encode()


def _rules(check: CheckResult) -> list[str]:
    found = {level: [rule for rule in check.rules if _level(rule, check) == level] for level in _LEVELS}
    lines = []
    for level, rules in found.items():
        lines += [_rule(level, rule) for rule in rules[:_MOST]]
        if len(rules) > _MOST:
            lines[-1] = _command(level, "LLM spend audit", f"and {len(rules) - _MOST + 1} more gates")
    return lines


def _level(rule: Rule, check: CheckResult) -> str | None:
    match rule.outcome:
        case Outcome.PASSED:
            return None
        case Outcome.FAILED:
            return "error"
        case Outcome.NOT_EVALUATED:
            return "warning"
        case Outcome.INCONCLUSIVE:
            return _UNSURE[check.inconclusive_is]


def _rule(level: str, rule: Rule) -> str:
    """Annotate the line that a rule stands in; a rule of the command line stands in no file."""
    line = f"line={rule.line}," if rule.line else ""
    place = f"file={_property(plain(rule.source, limit=300))},{line}" if rule.source else ""
    title = f"{plain(rule.rule)} {words(rule.outcome)}"
    return _command(level, title, rule.message, place)


def _command(level: str, title: str, message: str, place: str = "") -> str:
    return f"::{level} {place}title={_property(plain(title))}::{_data(plain(message, limit=1000))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
