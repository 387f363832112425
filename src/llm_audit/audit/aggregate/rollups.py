"""Rollups: sums of the audited requests by the keys that sections of the document ask for, a table each.

A table holds only sums of integers, so the tables of two ledgers are merged by adding them, in any order and to the
same result. All that a report groups by is in one of them, and none has keys that no section combines: the number of
combinations, not that of requests, is what adding up takes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
import polars as pl

from llm_audit.audit.aggregate.clusters import cluster_of
from llm_audit.audit.aggregate.interval import bucket
from llm_audit.audit.billing import Billing, is_billed
from llm_audit.ledger.schema import SCHEMA, TOKEN_TYPES
from llm_audit.vocabulary import COVERED

NANO = 10**9
"""Probabilities and difficulties are summed as integers of 10^-9, so that sums do not depend on their order."""

GROUPED = (
    *("requests", "priced", "moved", "certain", "tokens"),
    *("cost_pico", "expected_pico", "saved_pico", "covered_pico"),
)
"""Sums that every grouping shows.

``certain`` counts priced requests whose tax needs no judgement (``Plan.certain``), and ``covered_pico`` is the cost of
requests whose outcome is in ``COVERED``.
"""

_ANSWERS = ("lost_nano", "gained_nano", "p_nano")
_STATED = ("stated_requests", "stated_cost_pico")
_SAVED = ("saved_pico", "cost_pico")


class Rollup(msgspec.Struct, kw_only=True, frozen=True):
    """A table's keys and sums: counts, tokens, pico-dollars (``_pico``) and integers of 10^-9 (``_nano``)."""

    keys: tuple[str, ...]
    sums: tuple[str, ...]


ROLLUPS: dict[str, Rollup] = {
    # How requests were used, priced, judged and routed: what most sections are made of.
    "usage": Rollup(
        keys=(
            "provider",
            "model",
            "model_id",
            "tier",
            "category",
            "judged",
            "abstention",
            "unread_counts",
            "billing_basis",
            "billing_key",
            "price_id",
            "unpriced_reason",
            "outcome",
            "gate",
            "route_model_id",
        ),
        sums=(
            *GROUPED,
            *(f"{kind}_tokens" for kind in (*TOKEN_TYPES, "reasoning", "estimated", "ambiguous", "unexplained")),
            *(f"cost_{kind}_pico" for kind in (*TOKEN_TYPES, "per_call")),
            "estimated_cost_pico",
            "ambiguous_cost_pico",
            "unexplained_cost_pico",
            "ceiling_pico",
            "floor_pico",
            "kept_back_pico",
            *_STATED,
            "stated_computed_pico",
            *_ANSWERS,
            "difficulty_nano",
            "difficulties",
        ),
    ),
    # Spend by day and owner: days, the rhythm, and groupings by team and app.
    "daily": Rollup(
        keys=("date", "provider", "model", "model_id", "tier", "team", "app", "has_price", "is_billed"),
        sums=(*GROUPED, *_STATED),
    ),
    # What findings and comparisons of models are about, with whose requests move.
    "subjects": Rollup(
        keys=("template_hash", "app", "team", "model_id", "route_model_id", "outcome", "has_price", "is_billed"),
        sums=(*GROUPED, "output_tokens", "escalation_pico", *_ANSWERS),
    ),
    "by_environment": Rollup(keys=("environment",), sums=GROUPED),
    "template_days": Rollup(keys=("template_hash", "date"), sums=_SAVED),
    # What intervals are resampled from: bags of conversations, of all requests and of each subject's.
    "bags": Rollup(keys=("is_billed", "bucket"), sums=_SAVED),
    "template_bags": Rollup(keys=("template_hash", "bucket"), sums=_SAVED),
    "app_bags": Rollup(keys=("app", "bucket"), sums=_SAVED),
    "model_bags": Rollup(keys=("model_id", "bucket"), sums=_SAVED),
}
"""The tables of every audit, by name. The requests of a row of the first three all have a price, or none has."""

LEDGER_KEYS = tuple(dict.fromkeys(key for rollup in ROLLUPS.values() for key in rollup.keys if key in SCHEMA))
"""The ledger's columns among the keys."""

_FITS = 2.0**62
"""Amounts that come to less in all, whatever their signs, have sums of 64 bits."""

_NOT_TEXT = {"date", "template_hash", "price_id", "has_price", "is_billed", "bucket"}


def rollups(group_by: Sequence[str]) -> dict[str, Rollup]:
    """Return the tables of an audit that also groups by some columns, see ``grouping``."""
    return ROLLUPS | {grouping(name): Rollup(keys=(name,), sums=GROUPED) for name in group_by}


def grouping(column: str) -> str:
    """Return the name of the table of a column's groups."""
    return f"by_{column}"


def with_date(routed: pl.DataFrame, *, timezone: str, billing: Billing) -> pl.DataFrame:
    """Add to routed requests what their sums need beside.

    These are their ``date`` in ``timezone``, ``saved_pico``, actual minus expected policy cost, and their billing.
    """
    return routed.with_columns(
        date=pl.col("time").dt.convert_time_zone(timezone).dt.date(),
        saved_pico=pl.col("cost_pico") - pl.col("expected_pico"),
        **billing.columns(),
    )


def roll_up(dated: pl.DataFrame, *, group_by: Sequence[str] = ()) -> dict[str, pl.DataFrame]:
    """Sum routed requests to tables, in no order, which are to be merged: as small as they can be.

    Args:
        dated: Requests with the columns of ``with_date``.
        group_by: Columns to group by, each by itself.
    """
    tables = rollups(group_by)
    made = _keys() | _measures()
    names = dict.fromkeys(name for table in tables.values() for name in (*table.keys, *table.sums))
    rows = dated.select(made[name].alias(name) if name in made else pl.col(name) for name in names)
    wide = _wide(rows)
    sums = pl.collect_all([_sum(rows.lazy(), table, wide) for table in tables.values()])
    return dict(zip(tables, sums, strict=True))


def merge(parts: Sequence[dict[str, pl.DataFrame]], *, group_by: Sequence[str] = ()) -> dict[str, pl.DataFrame]:
    """Return the tables of several ledgers as those of one, sorted by their keys: names as text, sums in 128 bits."""
    tables = rollups(group_by)
    sums = pl.collect_all([_merged([part[name].lazy() for part in parts], table) for name, table in tables.items()])
    return dict(zip(tables, sums, strict=True))


def total(frame: pl.DataFrame, column: str) -> int:
    """Return a column's exact sum."""
    return int(frame[column].sum() or 0)


def totals(usage: pl.DataFrame) -> dict[str, int]:
    """Return a rollup's sums as one row."""
    return {name: total(usage, name) for name in GROUPED}


def judged(row: Mapping[str, int]) -> bool:
    """Return whether the tax on a row of sums, with those of ``GROUPED``, is known.

    It is where any priced request was judged and routed, and where none needs to be.
    """
    routed = row["covered_pico"] or row["moved"] or row["saved_pico"]
    return row["priced"] > 0 and bool(routed or row["certain"] == row["priced"])


def by(frame: pl.DataFrame, *keys: str, sums: Sequence[str]) -> pl.DataFrame:
    """Return a table's sums by some of its keys, sorted by them."""
    return frame.group_by(keys).agg(pl.col(*sums).sum()).sort(keys, nulls_last=True)


def _wide(rows: pl.DataFrame) -> set[str]:
    """Return the amounts whose sums may not fit in 64 bits, as those of tokens do."""
    amounts = rows.select(pl.col("^.*_pico$").cast(pl.Float64).abs().sum())
    return {name for name, most in zip(amounts.columns, amounts.row(0), strict=True) if most >= _FITS}


def _sum(rows: pl.LazyFrame, table: Rollup, wide: Collection[str]) -> pl.LazyFrame:
    sums = [pl.col(name).cast(pl.Int128).sum() if name in wide else pl.col(name).sum() for name in table.sums]
    return rows.group_by(table.keys).agg(sums)


def _merged(parts: Sequence[pl.LazyFrame], table: Rollup) -> pl.LazyFrame:
    text = [pl.col(name).cast(pl.String) for name in table.keys if name not in _NOT_TEXT]
    rows = pl.concat(parts, how="vertical_relaxed")
    if len(parts) > 1:
        rows = _sum(rows, table, table.sums)
    return rows.with_columns(*text, pl.col(table.sums).cast(pl.Int128)).sort(table.keys, nulls_last=True)


def _keys() -> dict[str, pl.Expr]:
    """Return the keys that requests do not have yet."""
    return {
        "has_price": pl.col("cost_pico").is_not_null(),
        "is_billed": is_billed(),
        "bucket": bucket(cluster_of()),
    }


def _measures() -> dict[str, pl.Expr]:
    """Return the summed columns that requests do not have yet."""
    tokens = pl.sum_horizontal(pl.col(f"{kind}_tokens").fill_null(0) for kind in TOKEN_TYPES)
    moved = pl.col("outcome") == "moved"
    estimated = pl.col("usage_source") == "estimated"
    ambiguous = (
        pl.when(pl.col("usage_source") == "ambiguous").then(pl.col("ambiguous_tokens").fill_null(0)).otherwise(0)
    )
    stated = pl.col("stated_cost_pico").is_not_null() & pl.col("cost_pico").is_not_null()
    unexplained = pl.col("unexplained_tokens").fill_null(0)
    output_rate = pl.col("cost_output_pico") // pl.when(pl.col("output_tokens") > 0).then(pl.col("output_tokens"))
    input_rate = pl.col("cost_input_pico") // pl.when(pl.col("input_tokens") > 0).then(pl.col("input_tokens"))
    return {
        "requests": pl.lit(1, pl.Int64),
        "priced": pl.col("cost_pico").is_not_null().cast(pl.Int64),
        "moved": moved.cast(pl.Int64),
        "certain": (pl.col("certain") & pl.col("cost_pico").is_not_null()).cast(pl.Int64),
        "covered_pico": pl.when(pl.col("outcome").is_in(COVERED)).then("cost_pico").otherwise(0),
        "tokens": tokens,
        "estimated_tokens": pl.when(estimated).then(tokens).otherwise(0),
        "ambiguous_tokens": ambiguous,
        "estimated_cost_pico": pl.when(estimated).then("cost_pico").otherwise(0),
        "ambiguous_cost_pico": ambiguous
        * pl.when(pl.col("ambiguous_tokens") == pl.col("reasoning_tokens"))  # it may be a part of the output
        .then(pl.max_horizontal(input_rate, output_rate))
        .otherwise(input_rate)
        .fill_null(0),
        "unexplained_cost_pico": unexplained * pl.max_horizontal(input_rate, output_rate).fill_null(0),
        "stated_requests": stated.cast(pl.Int64),
        "stated_computed_pico": pl.when(stated).then("cost_pico"),
        "lost_nano": pl.when(moved).then((pl.col("quality_loss").clip(lower_bound=0) * NANO).round().cast(pl.Int64)),
        "gained_nano": pl.when(moved).then((-pl.col("quality_loss").clip(upper_bound=0) * NANO).round().cast(pl.Int64)),
        "p_nano": pl.when(moved).then((pl.col("p_suffices") * NANO).round().cast(pl.Int64)),
        "difficulty_nano": (pl.col("difficulty").cast(pl.Float64) * NANO).round().cast(pl.Int64),
        "difficulties": pl.col("difficulty").is_not_null().cast(pl.Int64),
    }
