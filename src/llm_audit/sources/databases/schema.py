"""The declaration of a known schema: which table holds calls, which of its columns are read, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

Row = dict[str, Any]
"""A row by the names of its fields, without those that are null."""

RelatedRows = Mapping[str, Sequence[Row]]
"""The rows of other tables that belong to a row, by the table's name."""


class Checked(StrEnum):
    """What the reading of a schema was checked with."""

    SERVER = "a server"
    ENGINE = "the engine"
    DOCUMENTATION = "documentation"


class Unit(StrEnum):
    """The unit of a column of times."""

    TIME = "time"
    SECONDS = "seconds since 1970"
    MILLISECONDS = "milliseconds since 1970"
    DAY = "day as text"


class Field(msgspec.Struct, frozen=True):
    """A field of a record and the column that it is read from."""

    name: str
    required: bool = False  # a table without it has another schema
    wide: bool = False  # holds texts of any size
    expression: str = ""  # SQL, where it is not the column of that name


class Related(msgspec.Struct, frozen=True):
    """Another table, whose rows belong to the rows of the first."""

    table: str
    from_field: str  # of the first table
    to_column: str
    fields: tuple[Field, ...]
    order: str = ""  # the column that sorts them
    required: bool = False


class Period(msgspec.Struct, frozen=True):
    """The columns that a period is compared with: a row may hold calls from ``begins`` on, and up to ``ends``."""

    begins: str
    ends: str
    unit: Unit


def alone(row: Row, _related: RelatedRows) -> Row:
    """Return a row as the record."""
    return row


class Schema(msgspec.Struct, kw_only=True, frozen=True):
    """A known schema.

    Attributes:
        name: The product's name.
        format: The log format that reads its records.
        drivers: The kinds of databases that it is found in.
        table: The table's name.
        key: Fields that sort the rows, in the order of an index, and are unique together; the last names a row.
        divided_by: An indexed field, a number or a time, by which the rows are divided among processes.
        divided_unit: Its unit; None for a number.
        fields: The fields to read.
        period: The columns that ``--since`` and ``--until`` are compared with.
        related: Other tables to read.
        record: Makes the record of a row and the related rows.
        condition: SQL that leaves out rows that are none.
        condition_beside: Another table, and SQL that leaves out rows whose calls it holds too, where it is there.
        final: Whether ClickHouse merges versions of a row on reading.
        instead: Tables that hold the same calls in more detail: this one is read where they are empty or not there.
        checked: What the reading was checked with, by driver.
    """

    name: str
    format: str
    drivers: frozenset[str]
    table: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    checked: Mapping[str, Checked]
    divided_by: str | None = None
    divided_unit: Unit | None = None
    period: Period | None = None
    related: tuple[Related, ...] = ()
    record: Callable[[Row, RelatedRows], Row] = alone
    condition: str = ""
    condition_beside: tuple[str, str] | None = None
    final: bool = False
    instead: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which a table has another schema."""
        return tuple(field.name for field in self.fields if field.required and not field.expression)
