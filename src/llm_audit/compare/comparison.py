"""Two audits side by side: the change in cost by its parts and by group, and every metric with its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from llm_audit.compare.gates import metric_changes
from llm_audit.compare.variance import cost_parts, cost_pico, policy_pico, tax_parts, units
from llm_audit.document.audit import BasisRow, Document
from llm_audit.document.comparison import Comparison, GroupChange, Part, Side
from llm_audit.document.sampling import in_words
from llm_audit.errors import IncompleteError
from llm_audit.money import usd

GROUPS: dict[str, Callable[[BasisRow], str | None]] = {
    "model": lambda row: row.model,
    "team": lambda row: row.team,
    "app": lambda row: row.app,
}


def compare(
    base: Document,
    head: Document,
    *,
    labels: tuple[str, str] = ("baseline", "this audit"),
    confidence: float = 0.9,
    notes: Sequence[str] = (),
) -> Comparison:
    """Compare two audits, both priced with one price table.

    Args:
        base: The earlier audit.
        head: The later one.
        labels: What to call them.
        confidence: Of the intervals on changed metrics.
        notes: What is to be said of them beside, such as that one was priced again.

    Raises:
        IncompleteError: The two cannot be compared; the message holds the command that would make them comparable.
    """
    if not base.basis or not head.basis:
        empty = labels[0] if not base.basis else labels[1]
        raise IncompleteError(f"{empty} has no priced requests, so it cannot be compared.")
    if base.currency != head.currency:
        raise IncompleteError(
            f"{labels[0]} is in {base.currency}, {labels[1]} in {head.currency}; audit both in the same currency."
        )
    if base.fingerprints.prices != head.fingerprints.prices:
        raise IncompleteError(
            f"{labels[0]} was priced with another price table. Audit it again with this version: {base.command}"
        )
    notes = list(notes)
    if base.fingerprints.policy != head.fingerprints.policy:
        notes.append("The two used different policies, so their flagship taxes are not comparable.")
    if base.fingerprints.classifier != head.fingerprints.classifier:
        notes.append("The two were judged by different classifiers; a change in flagship tax may be due to that.")
    notes += _sampled(base, head, labels)
    if head.currency != "USD":
        notes.append("Amounts of the comparison are in US dollars.")
    before, after = units(base.basis), units(head.basis)
    base_cost, head_cost = _cost(base.basis), _cost(head.basis)
    base_tax, head_tax = _tax(base.basis), _tax(head.basis)
    requests = sum(row.requests for row in base.basis), sum(row.requests for row in head.basis)
    return Comparison(
        base=_side(labels[0], base, base.basis),
        head=_side(labels[1], head, head.basis),
        change=usd(head_cost - base_cost),
        parts=[Part(name=name, amount=usd(amount)) for name, amount in cost_parts(before, after).items()],
        tax_parts=[]
        if base_tax is None or head_tax is None
        else [Part(name=name, amount=usd(amount)) for name, amount in tax_parts(before, after).items()],
        groups=_groups(base.basis, head.basis),
        metrics=metric_changes(base, head, confidence=confidence),
        realised=usd(round(base_cost * requests[1] / requests[0]) - head_cost),
        estimated=None if base_tax is None else usd(round(base_tax * requests[1] / requests[0])),
        notes=notes,
    )


def _sampled(base: Document, head: Document, labels: tuple[str, str]) -> list[str]:
    """Note what the amounts are of where logs are a sample."""
    if base.sampling_rate != head.sampling_rate:
        rates = f"{labels[0]} has {in_words(base.sampling_rate)} and {labels[1]} {in_words(head.sampling_rate)}"
        return [f"{rates}, so amounts and their change are not comparable; shares and figures per request are."]
    if head.sampling_rate == 1:
        return []
    return [f"Both are a sample of {in_words(head.sampling_rate)}: amounts are those of the logs alone."]


def _cost(rows: Iterable[BasisRow]) -> int:
    return sum(map(cost_pico, rows))


def _usd(pico: int | None) -> str | None:
    return None if pico is None else usd(pico)


def _tax(rows: Iterable[BasisRow]) -> int | None:
    """Return the flagship tax of rows; None where none of them could be judged and routed."""
    rows = list(rows)
    judged = [row for row in rows if row.policy_cost is not None]
    return sum(cost_pico(row) - policy_pico(row) for row in judged) if judged or not rows else None


def _side(label: str, document: Document, rows: Sequence[BasisRow]) -> Side:
    cost = _cost(rows)
    tax = _tax(rows)
    return Side(
        label=label,
        start=document.period.start,
        end=document.period.end,
        requests=document.requests.audited,
        priced_requests=sum(row.requests for row in rows),
        cost=usd(cost),
        flagship_tax=_usd(tax),
        flagship_tax_share=None if tax is None or not cost else round(tax / cost, 6),
    )


def _groups(base: Sequence[BasisRow], head: Sequence[BasisRow]) -> list[GroupChange]:
    found: dict[tuple[str, str], tuple[list[BasisRow], list[BasisRow]]] = {}
    for side, rows in enumerate((base, head)):
        for row in rows:
            for group, key in GROUPS.items():
                if (name := key(row)) is not None:
                    found.setdefault((group, name), ([], []))[side].append(row)
    order = list(GROUPS)
    ranked = sorted(
        ((place, (_cost(before), _tax(before), _cost(after), _tax(after))) for place, (before, after) in found.items()),
        key=lambda item: (order.index(item[0][0]), -abs(item[1][2] - item[1][0]), item[0][1]),
    )
    return [
        GroupChange(
            group=group,
            name=name,
            base_cost=usd(base_cost),
            head_cost=usd(head_cost),
            change=usd(head_cost - base_cost),
            base_flagship_tax=_usd(base_tax),
            head_flagship_tax=_usd(head_tax),
        )
        for (group, name), (base_cost, base_tax, head_cost, head_tax) in ranked
    ]
