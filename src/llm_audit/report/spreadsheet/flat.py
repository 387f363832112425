"""Frames as flat files: CSV that is safe to open in a spreadsheet and reads back without loss, and Parquet."""

from __future__ import annotations

import io

import polars as pl

from llm_audit.money import PICO_PER_USD
from llm_audit.report.text import plain

_FORMULA = r"^[=+\-@\t\r]"
_PICO = "_pico"


def usd(column: str) -> pl.Expr:
    """Convert a column of pico-dollars to exact decimal strings of dollars, and rename it to match."""
    amount = pl.col(column)
    sign = pl.when(amount < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole, rest = amount.abs() // PICO_PER_USD, amount.abs() % PICO_PER_USD
    text = pl.concat_str(sign, whole.cast(pl.String), pl.lit("."), rest.cast(pl.String).str.zfill(12))
    return text.alias(f"{column.removesuffix(_PICO)}_usd")


def write_csv(frame: pl.DataFrame) -> bytes:
    """Write a frame as UTF-8 CSV: amounts in dollars, ids in hexadecimal, no text that opens as a formula."""
    columns = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if name.endswith(_PICO) and kind.is_integer():
            columns.append(usd(name))
        elif kind == pl.UInt64:
            columns.append(column.map_elements(lambda value: f"{value:016x}", return_dtype=pl.String))
        elif isinstance(kind, pl.Datetime):
            columns.append(column.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z"))
        elif kind == pl.String or isinstance(kind, pl.Categorical | pl.Enum):
            columns.append(harmless(name))
        else:
            columns.append(column)
    return frame.select(columns).write_csv().encode("utf-8")


def write_parquet(frame: pl.DataFrame) -> bytes:
    """Write a frame as Parquet, the same bytes for the same frame."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=True)
    return buffer.getvalue()


def harmless(name: str) -> pl.Expr:
    """Escape a text column's control characters, and put an apostrophe before what would open as a formula."""
    shown = pl.col(name).cast(pl.String).map_elements(lambda text: plain(text, limit=10**9), return_dtype=pl.String)
    return pl.when(shown.str.contains(_FORMULA)).then(pl.concat_str(pl.lit("'"), shown)).otherwise(shown).alias(name)
