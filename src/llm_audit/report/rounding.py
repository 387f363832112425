"""Round amounts so that they add up as shown, and say where they do not.

Spend and flagship tax are each rounded on their own; the policy's cost is shown as the one less the other, so that it
may differ from its own rounding by one in the last digit. Sums of many rounded amounts cannot be kept so; a note says
by how much they are off.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from llm_audit.report.table import Cell, ColumnKind, Table
from llm_audit.report.text import decimals, money, to_places

_BALANCED = (("Cost", "Policy cost", "Flagship tax"), ("Actual cost", "Policy cost", "Difference"))
"""Columns of which the first less the second is the third; without the first it is all spend."""
_DIFFERENCES = (*_BALANCED, ("List", "Discounts", "Computed"))


def balanced(full: Table, *, spent: str | None) -> Table:
    """Return the table with policy costs as they are to be shown: cost as shown less flagship tax as shown."""
    at = {column.title: index for index, column in enumerate(full.columns)}
    for first, second, third in _BALANCED:
        if second in at and third in at:
            rows = tuple(
                _balanced(row, row[at[first]] if first in at else spent, at[second], at[third]) for row in full.rows
            )
            return replace(full, rows=rows)
    return full


def _balanced(row: tuple[Cell, ...], cost: Cell, policy: int, tax: int) -> tuple[Cell, ...]:
    amounts = [shown(cell) for cell in (cost, row[policy], row[tax])]
    if amounts[0] is None or amounts[1] is None or amounts[2] is None:
        return row
    places = decimals(str(row[policy]))
    rest = to_places(amounts[0] - amounts[2], places)
    if abs(rest - amounts[1]) > Decimal(1).scaleb(-places) or decimals(f"{rest:f}") != places:
        return row  # they differ by more than rounding, or would be shown with other digits
    return (*row[:policy], f"{rest:f}", *row[policy + 1 :])


def note(full: Table, total: Sequence[Cell] | None, *, currency: str) -> str:
    """Return a note where the amounts of a table, as shown, differ from their total or from each other; else ""."""
    amounts = {
        column.title: [shown(row[index]) for row in full.rows]
        for index, column in enumerate(full.columns)
        if column.kind is ColumnKind.MONEY
    }
    gaps = [Decimal(0)]
    for index, column in enumerate(full.columns):
        if total is not None and column.kind is ColumnKind.MONEY and column.sums:
            added = sum(filter(None, amounts[column.title]), Decimal(0))
            gaps.append(abs(added - (shown(total[index]) or 0)))
    for names in _DIFFERENCES:
        if all(name in amounts for name in names):
            rows = zip(*(amounts[name] for name in names), strict=True)
            gaps += [abs(a - b - c) for a, b, c in rows if a is not None and b is not None and c is not None]
    largest = max(gaps)
    if not largest:
        return ""
    return _by_up_to(largest, currency=currency)


def steps_note(rows: Sequence[Sequence[Cell]]) -> str:
    """Return a note where, as shown, the first amounts and the steps below them do not add up to the last ones.

    Args:
        rows: A name and amounts in dollars each.
    """
    gaps = [Decimal(0)]
    for column in list(zip(*rows, strict=True))[1:]:
        amounts = [shown(cell) for cell in column]
        if amounts[0] is not None and amounts[-1] is not None:
            gaps.append(abs(sum(filter(None, amounts[:-1]), Decimal(0)) - amounts[-1]))
    return _by_up_to(max(gaps), currency="USD") if max(gaps) else ""


def _by_up_to(largest: Decimal, *, currency: str) -> str:
    return (
        "Each amount is rounded on its own, so amounts as shown differ from their sums by up to"
        f" {money(f'{largest:f}', currency=currency)}; the exact amounts add up."
    )


def shown(cell: Cell) -> Decimal | None:
    """Return an amount as it is shown; None where it is unknown or does not apply."""
    return None if cell is None or cell == "" else to_places(Decimal(str(cell)), decimals(str(cell)))
