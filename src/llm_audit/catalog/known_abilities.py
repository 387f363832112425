"""Join abilities to the catalogue: a model's own, those of the line that its name refers to, or its predecessor's.

A model without published results is assumed to have the ability of its predecessor, an earlier model of its family that
was measured well enough: the latest of its own line (``claude-haiku-4-5`` of ``claude-haiku-5-5``), or for a new line
the nearest, where twice the price counts as much as a year. Its standard deviation is widened by one logit.
"""

from __future__ import annotations

import math
from importlib import resources

import polars as pl

from llm_audit.catalog.tiers import blended_usd_per_mtok
from llm_audit.model_names import canonical
from llm_audit.vocabulary import Category

CATEGORIES: tuple[str, ...] = tuple(category.value for category in Category)
ABILITY_COLUMNS: tuple[str, ...] = tuple(f"ability_{category}" for category in CATEGORIES)
SD_COLUMNS: tuple[str, ...] = tuple(f"{column}_sd" for column in ABILITY_COLUMNS)
MEASURED_COLUMNS: tuple[str, ...] = tuple(f"measured_{category}" for category in CATEGORIES)

EVIDENCE: dict[str, tuple[tuple[str, ...], ...]] = {
    Category.DATA: ((Category.CODE,),),
    Category.SCIENCE: ((Category.REASONING,),),
    Category.LAW: ((Category.KNOWLEDGE,), (Category.REASONING,)),
    Category.MEDICINE: ((Category.KNOWLEDGE,), (Category.REASONING,)),
    Category.FINANCE: ((Category.REASONING,), (Category.MATH,)),
    Category.INSTRUCTION: ((Category.INSTRUCTION, Category.WRITING),),
    Category.EXTRACTION: ((Category.INSTRUCTION, Category.WRITING),),
    Category.SUPPORT: ((Category.INSTRUCTION, Category.WRITING),),
    Category.RETRIEVAL: ((Category.INSTRUCTION, Category.WRITING), (Category.REASONING,)),
    Category.TRANSLATION: ((Category.WRITING,),),
    Category.SUMMARISATION: ((Category.WRITING, Category.INSTRUCTION),),
    Category.CHAT: ((Category.WRITING,),),
}
"""What measures a category that no series of published scores measures by itself: one category of each group.

Ratings of an arena also count for instructions, since its boards for writing and for following instructions are one
factor (correlations of 0.95 to 0.99).
"""

PRIOR_SD = 1.0
"""Standard deviation, in logits, of the difference from a predecessor."""
MEASURED_SD = 1.0
"""Logits; a model whose abilities have a larger standard deviation is not used as a predecessor."""


def with_abilities(models: pl.DataFrame) -> pl.DataFrame:
    """Add abilities to catalogue rows.

    ``ability_<category>`` and ``ability_<category>_sd`` are in logits; ``measured_<category>`` whether the category has
    published scores of the model itself; ``ability_source`` says where abilities are from.

    Args:
        models: Rows with ``model_id``, ``ability_as``, ``family``, ``kind``, ``released`` and list prices.
    """
    known = _packaged()
    lines = known.select("key", line=pl.col("key").map_elements(canonical, return_dtype=pl.String))
    by_line = lines.sort(pl.col("key").str.len_chars(), "key").unique("line", keep="first", maintain_order=True)
    keyed = (
        models.join(known.select(own="key"), left_on="model_id", right_on="own", how="left", coalesce=False)
        .join(by_line.select("line", variant="key"), left_on="model_id", right_on="line", how="left")
        .with_columns(key=pl.coalesce("own", "ability_as", "variant"))
        .join(known, on="key", how="left", maintain_order="left")
    )
    note = pl.when(pl.col("key") != pl.col("model_id")).then(pl.format("as {}: {}", "key", "ability_source"))
    rated = keyed.with_columns(ability_source=pl.coalesce(note, "ability_source"))
    own = rated.with_columns(pl.col(name).fill_null(value=False) for name in MEASURED_COLUMNS)
    return _with_priors(own.select(*models.columns, *ABILITY_COLUMNS, *SD_COLUMNS, *MEASURED_COLUMNS, "ability_source"))


def _packaged() -> pl.DataFrame:
    """Return the packaged table with a row for each model (``key``), at the effort of most of its results."""
    data = resources.files("llm_audit.catalog").joinpath("abilities.csv").read_bytes()
    long = pl.read_csv(data, infer_schema_length=None).filter(pl.col("effort").is_null())
    one = long.group_by("model_id", "category").agg(
        pl.col("ability", "sd").cast(pl.Float64).first(), pl.col("scores").first(), pl.col("source").first()
    )
    columns = {
        f"ability_{category}{suffix}": pl.col(value).filter(pl.col("category") == category).first()
        for category in CATEGORIES
        for value, suffix in (("ability", ""), ("sd", "_sd"))
    }
    for category, column in zip(CATEGORIES, MEASURED_COLUMNS, strict=True):
        columns[column] = pl.all_horizontal(
            (pl.col("scores").filter(pl.col("category").is_in(group)).max() > 0).fill_null(value=False)
            for group in EVIDENCE.get(category, ((category,),))
        )
    measured = pl.col("category").filter(pl.col("scores") > 0).sort().str.join(", ")
    source = pl.when(measured == "").then(pl.lit("prior")).otherwise(pl.format("published scores: {}", measured))
    return one.group_by(key="model_id").agg(**columns, ability_source=source).sort("key")


def _with_priors(rated: pl.DataFrame) -> pl.DataFrame:
    priced = rated.with_columns(_price=blended_usd_per_mtok().log()).filter(
        (pl.col("kind") == "chat") & pl.all_horizontal(pl.col("released", "_price").is_not_null())
    )
    unknown = priced.filter(pl.col(ABILITY_COLUMNS[0]).is_null() & pl.col("home_provider").is_not_null())
    known = priced.filter(pl.mean_horizontal(SD_COLUMNS) <= MEASURED_SD)
    earlier = unknown.select("model_id", "family", "released", "_price").join(
        known.select("family", *ABILITY_COLUMNS, *SD_COLUMNS, older="model_id", then="released", price="_price"),
        on="family",
    )
    years = (pl.col("released") - pl.col("then")).dt.total_days() / 365.25
    doublings = (pl.col("price") - pl.col("_price")).abs() / math.log(2)
    same_line = _words("model_id") == _words("older")
    distance = years + pl.when(same_line).then(0).otherwise(doublings)
    predecessors = (
        earlier.filter(pl.col("then") <= pl.col("released"))
        .sort(~same_line, distance, "older")
        .unique("model_id", keep="first", maintain_order=True)
        .select(
            "model_id",
            *ABILITY_COLUMNS,
            *((pl.col(column) ** 2 + PRIOR_SD**2).sqrt() for column in SD_COLUMNS),
            ability_source=pl.format("prior: as its predecessor {}", "older"),
        )
    )
    return rated.update(predecessors, on="model_id", how="left")


def _words(column: str) -> pl.Expr:
    """Return the words of a model's name without its numbers, which are the same within a line."""
    return pl.col(column).str.extract_all(r"[a-z]{3,}").list.sort().list.join(" ")
