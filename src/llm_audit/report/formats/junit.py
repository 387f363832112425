"""JUnit XML: a test case for each gate."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from llm_audit.document.audit import Document
from llm_audit.document.comparison import Outcome, Rule
from llm_audit.report.interface import Frames, Options
from llm_audit.report.text import plain


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render one suite. A failed gate is a failure; one not evaluated is skipped, with its reason."""
    rules = options.check.rules if options and options.check else []
    counts = (
        f'tests="{len(rules)}" failures="{_count(rules, Outcome.FAILED)}" errors="0"'
        f' skipped="{_count(rules, Outcome.NOT_EVALUATED)}"'
    )
    name = quoteattr(plain(document.tool.name))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites name={name} {counts}>",
        f'  <testsuite name="gates" {counts}>',
        *(_case(rule) for rule in rules),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _count(rules: list[Rule], outcome: Outcome) -> int:
    return sum(rule.outcome is outcome for rule in rules)


def _case(rule: Rule) -> str:
    place = f" file={quoteattr(plain(rule.source, limit=300))}" if rule.source else ""
    place += f' line="{rule.line}"' if rule.line else ""
    head = f'    <testcase classname="llm-audit.gates" name={quoteattr(plain(rule.rule))}{place}'
    message = quoteattr(plain(rule.message, limit=2000))
    match rule.outcome:
        case Outcome.FAILED:
            return f"{head}><failure message={message}/></testcase>"
        case Outcome.NOT_EVALUATED:
            return f"{head}><skipped message={message}/></testcase>"
        case Outcome.PASSED:
            return f"{head}/>"
