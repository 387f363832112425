"""SARIF 2.1.0: failed gates and findings, located in the file that defines the rules.

A gate of the command line stands in no file, and code scanning takes no result without one, so it is a notification.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from llm_audit.document.audit import DEPARTURES, Document, Finding
from llm_audit.document.comparison import InconclusiveIs, Outcome, Rule
from llm_audit.report.interface import Frames, Options
from llm_audit.report.text import money, plain, quoted

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_FINDINGS = 25
_UNSURE = {InconclusiveIs.FAILURE: "error", InconclusiveIs.WARNING: "warning", InconclusiveIs.PASSED: "note"}
_RULES = {
    "gate-failed": "A gate on LLM spend failed.",
    "gate-inconclusive": "Too few requests to tell whether a gate on LLM spend holds.",
    "gate-not-evaluated": "A gate on LLM spend could not be evaluated.",
    "departure": "LLM spend that departs from the log's weekly rhythm.",
    "finding": "LLM spend that the policy would save.",
}


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:  # noqa: ARG001
    """Render one run: an error for each failed gate, a warning for each without an answer, a note for each finding."""
    options = options or Options()
    check = options.check
    rules = [rule for rule in check.rules if rule.outcome is not Outcome.PASSED] if check else []
    unsure = _UNSURE[check.inconclusive_is] if check else "warning"
    results = [_gate(rule, unsure) for rule in rules if rule.source]
    elsewhere = [_notification(rule, unsure) for rule in rules if not rule.source]
    results += [_finding(finding, document.currency, options.policy_path) for finding in document.findings[:_FINDINGS]]
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": document.tool.name,
                        "version": document.tool.version,
                        "rules": [{"id": key, "shortDescription": {"text": text}} for key, text in _RULES.items()],
                    }
                },
                **({"invocations": [_invocation(elsewhere)]} if elsewhere else {}),
                "results": results,
            }
        ],
    }
    return msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n"


def _gate(rule: Rule, unsure: str) -> dict[str, Any]:
    kind, level, text = _spoken(rule, unsure)
    return _result(kind, level, text, file=rule.source or "", line=rule.line or 1, identity=rule.rule)


def _spoken(rule: Rule, unsure: str) -> tuple[str, str, str]:
    kind = f"gate-{rule.outcome.replace('_', '-')}"
    levels = {Outcome.FAILED: "error", Outcome.INCONCLUSIVE: unsure}
    return kind, levels.get(rule.outcome, "warning"), f"{plain(rule.rule)}: {plain(rule.message, limit=1000)}"


def _notification(rule: Rule, unsure: str) -> dict[str, Any]:
    kind, level, text = _spoken(rule, unsure)
    return {"associatedRule": {"id": kind}, "level": level, "message": {"text": _literal(text)}}


def _invocation(notifications: list[dict[str, Any]]) -> dict[str, Any]:
    return {"executionSuccessful": True, "toolExecutionNotifications": notifications}


def _finding(finding: Finding, currency: str, policy_path: str) -> dict[str, Any]:
    apart = finding.kind in DEPARTURES
    said = f"{finding.title}. {finding.detail}" if apart else finding.action
    text = f"{money(finding.amount, currency=currency)}: {quoted(plain(said, limit=1000))}"
    identity = f"{finding.kind}/{finding.subject}/{finding.title}"
    return _result("departure" if apart else "finding", "note", text, file=policy_path, line=1, identity=identity)


def _result(kind: str, level: str, text: str, *, file: str, line: int, identity: str) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": _uri(file)}, "region": {"startLine": line}}
    return {
        "ruleId": kind,
        "level": level,
        "message": {"text": _literal(text)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"llmAudit/v1": plain(identity, limit=300)},
    }


def _literal(text: str) -> str:
    """Escape braces (placeholders) and brackets (links), which have a meaning in SARIF."""
    return text.replace("{", "{{").replace("}", "}}").replace("[", "\\[").replace("]", "\\]")


def _uri(path: str) -> str:
    return quote(path.replace("\\", "/"), safe="/.-_~")
