"""Price an earlier audit's sums with another price table.

A basis row sums requests of one price row. Where the other table still has that row, the sums keep their amounts to the
digit. Elsewhere their tokens are charged at its rates of their first day, which is exact as long as these hold for all
of the row's days; what is billed per call, and the rare rates of images and reasoning that differ from their token
type's, keep their old amounts. The metrics that rules hold are those of the sums priced again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import msgspec

from llm_audit.compare.repriced_metrics import at_costs
from llm_audit.document.audit import BasisRow, Document
from llm_audit.errors import IncompleteError
from llm_audit.money import total_pico, usd
from llm_audit.pricing import PriceBook, PriceChanges

_NOON = 12 * 60
_WEEK = 7
_PER_CALL = "per_call"


class Repriced(msgspec.Struct, frozen=True):
    """An audit at other prices, and what has to be said of them."""

    document: Document
    notes: list[str]


def reprice(base: Document, book: PriceBook, *, label: str) -> Repriced:
    """Return an audit with its basis, and the metrics that depend on costs, at the book's prices.

    Args:
        base: The audit.
        book: The prices.
        label: What to call the audit in notes.

    Raises:
        IncompleteError: The book has no price for a model the rows hold.
    """
    undated = None if base.period.end is None else datetime.fromisoformat(base.period.end).astimezone(UTC)
    rows = [_priced_again(row, book, undated, label=label) for row in base.basis]
    notes, pairs = [], list(zip(base.basis, rows, strict=True))
    if called := sorted({new.model for old, new in pairs if new != old and _PER_CALL in new.cost_by_type}):
        notes.append(f"What {label} was billed per call of {', '.join(called)} is as it was: its sums hold no rate.")
    if unsure := sorted({old.model for old, new in pairs if _is_unsure(old, book, kept=new == old)}):
        notes.append(
            f"Prices of {', '.join(unsure)} change within the days that sums of {label} are of: they were taken at noon"
            " of the first day. Audit its logs again for a comparison to the digit."
        )
    if any(row.logged_model is None for row in rows):
        notes.append(
            f"{label} is of an earlier version and does not name dated, regional and fine-tuned models, so that they "
            "are at the prices of their line. Audit its logs again for a comparison to the digit."
        )
    metrics = base.metrics if rows == base.basis else at_costs(base.metrics, base.basis, rows)
    return Repriced(document=msgspec.structs.replace(base, basis=rows, metrics=metrics), notes=notes)


def _priced_again(row: BasisRow, book: PriceBook, undated: datetime | None, *, label: str) -> BasisRow:
    changes = book.changes(*_names(row))
    rates: dict[str, int] | None = None
    for moment in _moments(row.first_day, changes, undated):
        for fees in (False, True):
            quote = book.quote(*_names(row)[:2], row.service_tier, row.region, moment, fees=fees)
            if any(f"{found.price_id:016x}" == row.price_id for found in quote.rows):
                return row
            if rates is None:
                steps = [found for found in quote.rows if found.context_from <= row.context_from]
                rates = dict(steps[-1].rates) if steps else {}
    return _at(row, rates or {}, label=label)


def _names(row: BasisRow) -> tuple[str | None, str, str | None]:
    return None if row.provider == "unknown" else row.provider, row.logged_model or row.model, row.region


def _moments(first_day: str | None, changes: PriceChanges, undated: datetime | None) -> Iterator[datetime | None]:
    """Yield noon of a row's first day, then a moment of each other span with prices of its own."""
    if first_day is None:
        yield undated
        return
    midnight = datetime.combine(date.fromisoformat(first_day), time(), UTC)
    for day in range(_WEEK if changes.by_weekday else 1):
        for minute in (_NOON, 0, *sorted(changes.minutes)):
            yield midnight + timedelta(days=day, minutes=minute)


def _is_unsure(row: BasisRow, book: PriceBook, *, kept: bool) -> bool:
    """Return whether a sum may be of several prices: they change between its days or, where it is not kept, by time."""
    changes = book.changes(*_names(row))
    first, last = row.first_day or "", row.last_day or row.first_day or ""
    cut = any(first < day.isoformat() <= last for day in changes.dates)
    return cut or (not kept and (bool(changes.minutes) or changes.by_weekday))


def _at(row: BasisRow, rates: dict[str, int], *, label: str) -> BasisRow:
    costs = {kind: total_pico(amount) for kind, amount in row.cost_by_type.items()}
    new = {kind: amount for kind, amount in costs.items() if kind not in row.tokens}
    for kind, tokens in row.tokens.items():
        if kind not in rates:
            raise IncompleteError(
                f"The price table has no {kind} price for {row.provider}/{row.logged_model or row.model}, which {label}"
                " used. Give one with --prices."
            )
        if tokens * rates[kind]:
            new[kind] = tokens * rates[kind]
    before, after = sum(costs.values()), sum(new.values())
    policy = None
    if row.policy_cost is not None:
        policy = usd(round(Fraction(total_pico(row.policy_cost) * after, before) if before else Fraction(0)))
    return msgspec.structs.replace(
        row, cost_by_type={kind: usd(amount) for kind, amount in new.items()}, policy_cost=policy
    )
