"""A ledger's rows of a period, priced piece by piece, so that no more than a piece is in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
import polars as pl
from msgspec.structs import replace

from llm_audit.audit.options import AuditOptions, in_period
from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.ledger import Ledger
from llm_audit.ledger.schema import SCHEMA
from llm_audit.policy import with_models
from llm_audit.pricing import PRICED_AT, PriceBook, price
from llm_audit.suggestions import did_you_mean

PIECE = 1 << 16
"""Rows a piece: a partition of a large ledger is one."""


class InputTimes(msgspec.Struct, kw_only=True, frozen=True):
    """The latest time of each input, and how many of its requests have none: ``input``, ``time``, ``undated``."""

    frame: pl.DataFrame

    @classmethod
    def merged(cls, parts: Sequence[InputTimes]) -> InputTimes:
        """Return the times of a log from those of its parts."""
        together = pl.concat([part.frame for part in parts])
        return cls(frame=together.group_by("input").agg(pl.col("time").max(), pl.col("undated").sum()).sort("input"))

    @property
    def undated(self) -> int:
        """Return the number of requests without a time."""
        return int(self.frame["undated"].sum())

    @property
    def latest(self) -> datetime | None:
        """Return the latest time of the log."""
        latest = self.frame["time"].max()
        return latest if isinstance(latest, datetime) else None


class Rows(msgspec.Struct, kw_only=True, frozen=True):
    """The rows to audit; each reading goes through the ledger's files again, unless they are in memory.

    Attributes:
        ledger: The ledger.
        options: The period, and what to group by.
        catalog: Models.
        book: Prices.
        partition: The part of the ledger; None for all.
        times: Of the whole ledger; None where they are still to be read.
        frame: The rows, where they are in memory: see ``held``.
    """

    ledger: Ledger
    options: AuditOptions
    catalog: Catalog
    book: PriceBook
    partition: int | None = None
    times: InputTimes | None = None
    frame: pl.DataFrame | None = None

    def held(self, names: Sequence[str]) -> tuple[Rows, int]:
        """Return the same rows in memory with some columns and those that ``priced`` needs, and their number."""
        wanted = {"input", "time", *names, *self._to_group_by()}
        frame = self.columns([name for name in SCHEMA if name in wanted]).collect()
        return replace(self, frame=frame, times=self.times or self.input_times()), frame.height

    def columns(self, names: Sequence[str]) -> pl.LazyFrame:
        """Return some of the ledger's columns."""
        return in_period(pl.concat(self._scans()), self.options).select(names)

    def input_times(self) -> InputTimes:
        """Read the latest time of each input."""
        scan = pl.concat(self._scans()).select("input", "time")
        last = scan.group_by("input").agg(pl.col("time").max(), undated=pl.col("time").null_count().cast(pl.Int64))
        return InputTimes(frame=last.sort("input").collect())

    def priced(self, names: Sequence[str] = tuple(SCHEMA)) -> Iterator[pl.DataFrame]:
        """Yield columns of the ledger, with those to group by and those that ``price`` and ``with_models`` add.

        Raises:
            UsageError: There is no such column to group by.
        """
        wanted = [name for name in SCHEMA if name in {*names, *self._to_group_by()}]
        undated_at = self._undated_at()
        for scan in self._scans():
            for start in range(0, scan.select(pl.len()).collect().item(), PIECE):
                piece = scan.slice(start, PIECE)
                frame = in_period(piece, self.options).select(*wanted, *undated_at).collect()
                if frame.height:
                    priced = price(self._tagged(frame), self.book).drop(PRICED_AT, strict=False)
                    yield with_models(priced, self.catalog)

    def _scans(self) -> list[pl.LazyFrame]:
        """Return the partitions, each in order of input and line."""
        if self.frame is not None:
            return [self.frame.lazy()]
        numbers = range(self.ledger.partitions) if self.partition is None else [self.partition]
        return [self.ledger.scan(number) for number in numbers]

    def _undated_at(self) -> list[pl.Expr]:
        """Return when requests without a time are priced: at the last time of their file, else of the ledger."""
        times = self.times or self.input_times()
        latest = times.latest
        if not times.undated or latest is None:
            return []
        self.book.undated_at = latest
        at = dict(times.frame.filter(pl.col("time").is_not_null()).select("input", "time").iter_rows())
        return [
            pl.col("input").replace_strict(at, default=latest, return_dtype=pl.Datetime("us", "UTC")).alias(PRICED_AT)
        ]

    def _to_group_by(self) -> list[str]:
        """Return the ledger's columns that groups are made of."""
        columns = []
        for name in self.options.group_by:
            column = "tags" if name.startswith("tag:") else name
            if column not in SCHEMA:
                hint = did_you_mean(name, SCHEMA)
                raise UsageError(
                    f"The ledger has no column {name!r} to group by.{hint} Give tag:KEY to group by a tag, or a "
                    f"column such as {', '.join(_labels())}."
                )
            columns.append(column)
        return columns

    def _tagged(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with a column ``tag:<key>`` for each tag to group by."""
        tags = pl.col("tags").cast(pl.String)
        keys = [name.removeprefix("tag:") for name in self.options.group_by if name.startswith("tag:")]
        return frame.with_columns(
            tags.str.extract(rf"(?:^|,){re.escape(key)}=([^,]*)", 1).alias(f"tag:{key}") for key in keys
        )


def _labels() -> list[str]:
    """Return the columns of names and flags: numbers and times seldom make groups."""
    return [
        name for name, kind in SCHEMA.items() if not kind.is_numeric() and not kind.is_temporal() and name != "tags"
    ]
