"""SQL that reads pages of a table: columns and conditions pushed down, rows in the order of a key.

A page begins after the last key of the one before it, so that no page is read twice and none is skipped, whatever
happens to the connection between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from llm_audit.sources.databases.driver import Driver

PARAMETER = "\0"
"""The place of a parameter, before a driver writes it its own way; SQL cannot hold this character."""

BYTES = "llm_audit_bytes"
"""The column with the size of a row's wide columns."""


class Condition(msgspec.Struct, frozen=True):
    """A condition with its parameters."""

    text: str
    parameters: tuple[Any, ...] = ()


class Statement(msgspec.Struct, frozen=True):
    """A query of one table.

    Attributes:
        columns: The name and the expression of each column.
        wide: The names of those whose values may be of any size.
        source: The table, quoted.
        conditions: Conditions on its rows.
        key: The names of the columns that sort the rows and are unique together.
    """

    columns: tuple[tuple[str, str], ...]
    source: str
    conditions: tuple[Condition, ...] = ()
    key: tuple[str, ...] = ()
    wide: frozenset[str] = frozenset()

    @property
    def described(self) -> tuple[object, ...]:
        """Everything that decides the rows and their columns, in an order that is always the same."""
        return self.columns, self.source, self.conditions, self.key, sorted(self.wide)

    def page(
        self, driver: Driver, *, within: Sequence[Condition], after: Sequence[Any] | None, rows: int, most_bytes: int
    ) -> tuple[str, list[Any]]:
        """Return the query for the rows after a key, and its parameters.

        A value over ``most_bytes`` is left on the server.
        """
        conditions = [*self.conditions, *within]
        order = [self.expression(name) for name in self.key]
        if after is not None:
            conditions.append(_after(order, after))
        sql = f"SELECT {', '.join(self._selected(driver, most_bytes))} FROM {self.source}{_where(conditions)}"  # noqa: S608
        if order:
            sql += f" ORDER BY {', '.join(order)}"
        return written(f"{sql} LIMIT {rows}", conditions, driver)

    def bounds(self, driver: Driver, name: str) -> tuple[str, list[Any]]:
        """Return the query for the least and the greatest value of a column."""
        first = self.expression(name)
        return self.one(f"min({first}), max({first})", driver)

    def one(self, aggregate: str, driver: Driver, conditions: Sequence[Condition] = ()) -> tuple[str, list[Any]]:
        """Return the query for an aggregate of the rows that also meet these conditions."""
        conditions = [*self.conditions, *conditions]
        return written(f"SELECT {aggregate} FROM {self.source}{_where(conditions)}", conditions, driver)  # noqa: S608

    def rows(self, driver: Driver) -> tuple[str, list[Any]]:
        """Return the query for one narrow column of all rows, to estimate their number by."""
        first = self.expression(self.key[0]) if self.key else "1"
        return written(f"SELECT {first} FROM {self.source}{_where(self.conditions)}", self.conditions, driver)  # noqa: S608

    def among(self, driver: Driver, name: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
        """Return the query for the rows whose column has one of these values, in the order of the key."""
        places = ", ".join(PARAMETER for _ in values)
        conditions = [*self.conditions, Condition(f"{self.expression(name)} IN ({places})", tuple(values))]
        selected = ", ".join(f"{expression} AS {driver.quote(known)}" for known, expression in self.columns)
        order = ", ".join(map(self.expression, self.key))
        sql = f"SELECT {selected} FROM {self.source}{_where(conditions)} ORDER BY {order}"  # noqa: S608
        return written(sql, conditions, driver)

    def expression(self, name: str) -> str:
        """Return the expression of a column."""
        return next(expression for known, expression in self.columns if known == name)

    def _selected(self, driver: Driver, most_bytes: int) -> list[str]:
        selected = []
        for name, expression in self.columns:
            if name in self.wide:
                small = f"CASE WHEN {driver.size(expression)} <= {most_bytes} THEN {expression} END"
                selected.append(f"{small} AS {driver.quote(name)}")
            else:
                selected.append(f"{expression} AS {driver.quote(name)}")
        if self.wide:
            wide = (expression for name, expression in self.columns if name in self.wide)
            sizes = " + ".join(f"coalesce({driver.size(expression)}, 0)" for expression in wide)
            selected.append(f"{sizes} AS {driver.quote(BYTES)}")
        return selected


def written(sql: str, conditions: Sequence[Condition], driver: Driver) -> tuple[str, list[Any]]:
    """Write the places of parameters in the driver's own way."""
    first, *rest = sql.split(PARAMETER)
    text = first + "".join(f"{driver.placeholder(number)}{part}" for number, part in enumerate(rest, 1))
    return text, [value for condition in conditions for value in condition.parameters]


def _where(conditions: Sequence[Condition]) -> str:
    return f" WHERE {' AND '.join(f'({condition.text})' for condition in conditions)}" if conditions else ""


def _after(order: Sequence[str], key: Sequence[Any]) -> Condition:
    """Return the condition that a row comes after a key, in a form that uses an index on its first column."""
    *before, last = zip(order, key, strict=True)
    text, parameters = f"{last[0]} > {PARAMETER}", [last[1]]
    for expression, value in reversed(before):
        text = f"{expression} > {PARAMETER} OR ({expression} = {PARAMETER} AND ({text}))"
        parameters = [value, value, *parameters]
    if before:
        text = f"{order[0]} >= {PARAMETER} AND ({text})"
        parameters = [key[0], *parameters]
    return Condition(text, tuple(parameters))
