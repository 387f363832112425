"""Give models without published results the abilities of their predecessors.

A model without published results is assumed to have the ability of its predecessor, an earlier model of its family that
was measured well enough: the latest of its own line (``claude-haiku-4-5`` of ``claude-haiku-5-5``), or for a new line
the nearest to its first model, where twice the price counts as much as a year. For a new line, a specialist
(``pixtral-12b``) precedes only specialists of its kind, and a model that a later one beats at no higher price precedes
nobody. The standard deviation is widened by one logit.
"""

from __future__ import annotations

import math

import polars as pl

from llm_audit.catalog.ability_columns import ABILITY_COLUMNS, SD_COLUMNS, mean
from llm_audit.catalog.tiers import blended_usd_per_mtok

PRIOR_SD = 1.0
"""Standard deviation, in logits, of the difference from a predecessor."""
MEASURED_SD = 1.0
"""Logits; a model whose abilities have a larger standard deviation is not used as a predecessor."""
_SPECIALISTS = r"(codestral|devstral|magistral|pixtral|voxtral|coder|multimodal|vision|build|distill)"


def with_predecessors(rated: pl.DataFrame) -> pl.DataFrame:
    """Fill the abilities that are null, and say of which model they are in ``ability_source``.

    Args:
        rated: Catalogue rows with abilities where there are published results.
    """
    priced = rated.with_columns(_price=blended_usd_per_mtok().log()).filter(
        (pl.col("kind") == "chat") & pl.all_horizontal(pl.col("released", "_price").is_not_null())
    )
    priced = priced.with_columns(_line=line(), _size=size(), _kind=specialism(), _mean=mean(ABILITY_COLUMNS))
    unknown = priced.filter(pl.col(ABILITY_COLUMNS[0]).is_null() & pl.col("home_provider").is_not_null())
    known = priced.filter(mean(SD_COLUMNS) <= MEASURED_SD)
    first = pl.col("model_id").sort_by("released", "model_id").first().over("family", "_line", "_size")
    older = _older(unknown.select("model_id", "family", "released", "_price", "_line", "_size", "_kind"), known)
    own_line = older.filter("same_line").unique("model_id", keep="first", maintain_order=True)
    other = older.filter(~pl.col("same_line")).unique("model_id", keep="first", maintain_order=True)
    predecessors = (
        unknown.select("model_id", first=first)
        .join(own_line.select("model_id", own="older"), on="model_id", how="left")
        .join(other.select(first="model_id", others="older"), on="first", how="left")
        .select("model_id", older=pl.coalesce("own", "others"))
        .drop_nulls()
        .join(known.select(*ABILITY_COLUMNS, *SD_COLUMNS, older="model_id"), on="older")
        .select(
            "model_id",
            *ABILITY_COLUMNS,
            *((pl.col(column) ** 2 + PRIOR_SD**2).sqrt() for column in SD_COLUMNS),
            ability_source=pl.format("prior: as its predecessor {}", "older"),
        )
    )
    return rated.update(predecessors, on="model_id", how="left")


def _older(unknown: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the earlier measured models of each unmeasured one's family that may precede it, nearest first."""
    facts = known.select(
        "family",
        older="model_id",
        then="released",
        price="_price",
        mean="_mean",
        line="_line",
        size="_size",
        kind="_kind",
    )
    same_size = (pl.col("size") == pl.col("_size")).fill_null(value=True)
    years = (pl.col("released") - pl.col("then")).dt.total_days() / 365.25
    doublings = (pl.col("price") - pl.col("_price")).abs() / math.log(2)
    pairs = (
        unknown.join(facts, on="family")
        .filter(pl.col("then") <= pl.col("released"))
        .with_columns(same_line=(pl.col("line") == pl.col("_line")) & same_size)
        .with_columns(distance=years + pl.when("same_line").then(0).otherwise(doublings))
    )
    better = facts.select("family", "kind", by="older", by_then="then", by_price="price", by_mean="mean")
    beaten = pairs.join(better, on=["family", "kind"], nulls_equal=True).filter(
        (pl.col("by_then") <= pl.col("released"))
        & (pl.col("by_then") >= pl.col("then"))
        & (pl.col("by_price") <= pl.col("price"))
        & (pl.col("by_mean") > pl.col("mean"))
    )
    fit = pl.col("kind").is_null() | pl.col("kind").eq_missing(pl.col("_kind"))
    return (
        pairs.filter(pl.col("same_line") | fit)
        .join(beaten, on=["model_id", "older"], how="anti")
        .sort("distance", "older")
    )


def line() -> pl.Expr:
    """Return the words of a model's name without its version, which are the same within a line."""
    words = pl.col("model_id").str.replace_all("instruct|preview", "").str.extract_all(r"[a-z]{3,}")
    return words.list.sort().list.join(" ")


def size() -> pl.Expr:
    """Return the parameters that a model's name states, such as ``24b``; null where it states none."""
    return pl.col("model_id").str.extract(r"(\d+(?:\.\d+)?b)\b", 1)


def specialism() -> pl.Expr:
    """Return what kind of specialist a model's name says it is; null for a general-purpose model."""
    return pl.col("model_id").str.extract(_SPECIALISTS, 1)
