"""JUnit XML: a test case for each gate."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from llm_audit.document.audit import Document
from llm_audit.document.comparison import CheckResult, InconclusiveIs, Outcome, Rule
from llm_audit.report.interface import Frames, Options
from llm_audit.report.text import plain, words


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render one suite. A failed gate is a failure; one without an answer is skipped, with its reason."""
    check = options.check if options else None
    rules = check.rules if check else []
    failing = _failing(check)
    failures = sum(rule.outcome in failing for rule in rules)
    skipped = sum(rule.outcome is not Outcome.PASSED for rule in rules) - failures
    counts = f'tests="{len(rules)}" failures="{failures}" errors="0" skipped="{skipped}"'
    name = quoteattr(plain(document.tool.name))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites name={name} {counts}>",
        f'  <testsuite name="gates" {counts}>',
        *(_case(rule, failing) for rule in rules),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _failing(check: CheckResult | None) -> frozenset[Outcome]:
    unsure = check is not None and check.inconclusive_is is InconclusiveIs.FAILURE
    return frozenset({Outcome.FAILED, Outcome.INCONCLUSIVE}) if unsure else frozenset({Outcome.FAILED})


def _case(rule: Rule, failing: frozenset[Outcome]) -> str:
    place = f" file={quoteattr(plain(rule.source, limit=300))}" if rule.source else ""
    place += f' line="{rule.line}"' if rule.line else ""
    head = f'    <testcase classname="llm-audit.gates" name={quoteattr(plain(rule.rule))}{place}'
    if rule.outcome is Outcome.PASSED:
        return f"{head}/>"
    message = quoteattr(f"{words(rule.outcome)}: {plain(rule.message, limit=2000)}")
    return f"{head}><{'failure' if rule.outcome in failing else 'skipped'} message={message}/></testcase>"
