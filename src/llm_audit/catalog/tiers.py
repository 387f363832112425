"""Assign tiers to models, from list price and ability.

The price is that of a mix of three input tokens to one of output, in dollars per million tokens, at the developer's
latest list price. Up to $2 a model is small, above $3 frontier, between them mid. Ability then corrects the tier: a
small-priced model whose mean ability, less its standard deviation, reaches the median of the frontier-priced models
released in the year before it is mid; so is a frontier-priced model whose ability, plus its standard deviation, does
not reach the median of its small-priced contemporaries. A model without a price has no tier; one without abilities
keeps the tier of its price.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from llm_audit.catalog.ability_columns import ABILITY_COLUMNS, SD_COLUMNS, mean

SMALL_UP_TO_USD = 2.0
FRONTIER_ABOVE_USD = 3.0
CONTEMPORARY = timedelta(days=365)


def blended_usd_per_mtok() -> pl.Expr:
    """Return the list price of three input tokens to one output token, in dollars per million tokens."""
    return (3 * pl.col("input_usd_per_mtok") + pl.col("output_usd_per_mtok")) / 4


def tier_expression() -> pl.Expr:
    """Return the tier by price alone: ``small``, ``mid``, ``frontier`` or null."""
    price = blended_usd_per_mtok()
    return (
        pl.when(price <= SMALL_UP_TO_USD)
        .then(pl.lit("small"))
        .when(price > FRONTIER_ABOVE_USD)
        .then(pl.lit("frontier"))
        .when(price.is_not_null())
        .then(pl.lit("mid"))
    )


def with_tiers(frame: pl.DataFrame) -> pl.DataFrame:
    """Add ``tier`` to catalogue rows that have prices, ``released`` and ``ability_<category>`` columns."""
    ability = mean(ABILITY_COLUMNS)
    sd = mean(SD_COLUMNS)
    rated = frame.with_columns(_price_tier=tier_expression(), _ability=ability, _sd=sd)
    peers = rated.filter((pl.col("kind") == "chat") & pl.all_horizontal(pl.col("_ability", "released").is_not_null()))
    medians = [_peer_median(peers, tier) for tier in ("small", "frontier")]
    for median in medians:
        rated = rated.join(median, on="model_id", how="left", maintain_order="left")
    promoted = (pl.col("_price_tier") == "small") & (pl.col("_ability") - pl.col("_sd") >= pl.col("_frontier_median"))
    demoted = (pl.col("_price_tier") == "frontier") & (pl.col("_ability") + pl.col("_sd") < pl.col("_small_median"))
    tier = pl.when(promoted | demoted).then(pl.lit("mid")).otherwise(pl.col("_price_tier"))
    return rated.with_columns(tier=tier).drop("_price_tier", "_ability", "_sd", "_small_median", "_frontier_median")


def _peer_median(peers: pl.DataFrame, tier: str) -> pl.DataFrame:
    """Return for each model the median ability of the models of a price tier released in the year before it."""
    others = peers.filter(pl.col("_price_tier") == tier).select(
        peer="model_id", peer_released="released", peer_ability="_ability"
    )
    return (
        peers.select("model_id", "released")
        .join(others, how="cross")
        .filter(
            (pl.col("peer") != pl.col("model_id"))
            & (pl.col("peer_released") <= pl.col("released"))
            & (pl.col("peer_released") >= pl.col("released") - CONTEMPORARY)
        )
        .group_by("model_id")
        .agg(pl.col("peer_ability").median().alias(f"_{tier}_median"))
    )
