"""The HTML by which a notebook shows an audit: its verdict, its model mix and its findings."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from llm_audit.document.audit import DEPARTURES, Document
from llm_audit.report.rhythm import about
from llm_audit.report.text import UNKNOWN, count, money, plain, share
from llm_audit.report.verdict import verdict

_SHOWN = 8
"""Rows that a notebook shows of the mix and of the findings."""


def card(document: Document) -> str:
    """Return a fragment of HTML whose text from logs is escaped."""
    said, currency = verdict(document), document.currency
    rate = f"Run rate {said.rate} {said.rate_note}." if said.rate not in {"", UNKNOWN} else ""
    saving = [finding for finding in document.findings if finding.kind not in DEPARTURES]
    mix = [
        (
            row.provider,
            row.model,
            row.tier,
            count(row.requests),
            money(row.cost, currency=currency),
            share(row.cost_share),
        )
        for row in document.model_mix[:_SHOWN]
    ]
    found = [
        (
            row.title,
            money(row.amount, currency=currency),
            "" if row.monthly is None else about(row.monthly, currency),
            count(row.requests),
            row.action,
        )
        for row in saving[:_SHOWN]
    ]
    return "".join(
        (
            f"<p><strong>{_escaped(said.headline)}</strong></p>",
            *(f"<p>{_escaped(text)}</p>" for text in (rate, said.sampling, said.quality, *said.warnings) if text),
            _table("Model mix", ("Provider", "Model", "Tier", "Requests", "Cost", "Share of cost"), mix),
            _rest(len(document.model_mix), "audit.mix"),
            _table("Findings", ("What", "Saves", "A month", "Requests", "Do"), found),
            _rest(len(saving), "audit.findings"),
        )
    )


def _table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{_escaped(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{_escaped(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{_escaped(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _rest(rows: int, where: str) -> str:
    return f"<p>{rows - _SHOWN} more in <code>{where}</code></p>" if rows > _SHOWN else ""


def _escaped(text: str) -> str:
    return escape(plain(text, limit=400))
