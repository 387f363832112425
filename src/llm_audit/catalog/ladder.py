"""Build ladders: the chat models of one family, cheapest first."""

from __future__ import annotations

from datetime import date

import polars as pl

from llm_audit.catalog.ability_columns import ABILITY_COLUMNS, mean
from llm_audit.catalog.tiers import blended_usd_per_mtok
from llm_audit.catalog.unmeasured import ESTIMATED


def ladders(frame: pl.DataFrame, *, at: date | None = None) -> dict[str, list[str]]:
    """Return the ladders of the families with at least two steps, by family name.

    A step is a general-purpose chat model with a list price and a release date at its developer's own provider.
    Specialised models (audio, images, search, code completion…), names that move between models, and models whose
    ability is only estimated are excluded. Equal prices are ordered by ability, highest first, then by date, newest
    first, then by name.

    Args:
        frame: The catalogue's frame.
        at: Keep only models available on that day; without it, every model that was ever available, and the caller
            compares ``released`` and ``retired`` with each request's time.
    """
    steps = frame.filter(
        (pl.col("kind") == "chat")
        & pl.col("home_provider").is_not_null()
        & blended_usd_per_mtok().is_not_null()
        & pl.col("released").is_not_null()
        & (pl.col("ability_source") != ESTIMATED).fill_null(value=True)
    )
    if at is not None:
        steps = steps.filter((pl.col("released") <= at) & (pl.col("retired").is_null() | (pl.col("retired") > at)))
    ability = mean(ABILITY_COLUMNS)
    ordered = steps.with_columns(_price=blended_usd_per_mtok(), _ability=ability).sort(
        "family", "_price", "_ability", "released", "model_id", descending=[False, False, True, True, False],
        nulls_last=True,
    )  # fmt: skip
    families = ordered.group_by("family", maintain_order=True).agg("model_id")
    return {family: models for family, models in families.iter_rows() if len(models) > 1}
