"""GitHub Actions annotations: workflow commands on standard output."""

from __future__ import annotations

from llm_audit.document.audit import Document
from llm_audit.document.comparison import CheckResult, Outcome, Rule
from llm_audit.report.interface import Frames, Options
from llm_audit.report.text import plain
from llm_audit.report.verdict import verdict

_MOST = 10
"""The most annotations of one level that GitHub shows for a step."""


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render an error for each failed gate, a warning for each not evaluated, and a notice with the headline."""
    options = options or Options()
    lines = _rules(options.check, options.policy_path) if options.check else []
    lines += [_command("warning", "LLM spend audit", warning) for warning in document.warnings[:_MOST]]
    lines.append(_command("notice", "LLM spend audit", verdict(document).headline))
    return "".join(f"{line}\n" for line in lines).encode()


def _rules(check: CheckResult, policy_path: str) -> list[str]:
    errors = [rule for rule in check.rules if rule.outcome is Outcome.FAILED]
    unsure = [rule for rule in check.rules if rule.outcome is Outcome.NOT_EVALUATED]
    lines = [_rule("error", rule, policy_path) for rule in errors[:_MOST]]
    if len(errors) > _MOST:
        lines[-1] = _command("error", "LLM spend audit", f"and {len(errors) - _MOST + 1} more gates failed")
    return lines + [_rule("warning", rule, policy_path) for rule in unsure[:_MOST]]


def _rule(level: str, rule: Rule, policy_path: str) -> str:
    file = plain(rule.source or policy_path, limit=300)
    return _command(level, plain(rule.rule), rule.message, f"file={_property(file)},line={rule.line or 1},")


def _command(level: str, title: str, message: str, place: str = "") -> str:
    return f"::{level} {place}title={_property(plain(title))}::{_data(plain(message, limit=1000))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
