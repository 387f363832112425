"""Join abilities to the catalogue: a model's own, those of the line that its name refers to, or its predecessor's.

A model without published results has those of its predecessor; see ``predecessors``.
"""

from __future__ import annotations

from importlib import resources

import polars as pl

from llm_audit.catalog.ability_columns import ABILITY_COLUMNS, CATEGORIES, MEASURED_COLUMNS, SD_COLUMNS
from llm_audit.catalog.predecessors import with_predecessors
from llm_audit.model_names import canonical
from llm_audit.vocabulary import Category

UNUSABLE_ALONE = ("Vectara factual consistency (summarisation)",)
"""Benchmarks that measure no category by themselves.

The rate of unsupported statements in summaries puts claude-sonnet-4-6 1.7 logits below
claude-sonnet-4-5 and gpt-5.4-pro far below gpt-5: it rewards short extracts, not writing.
"""

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
    stated = pl.col("ability_as").is_in(known["key"].implode())
    keyed = (
        models.join(known.select(own="key"), left_on="model_id", right_on="own", how="left", coalesce=False)
        .join(by_line.select("line", variant="key"), left_on="model_id", right_on="line", how="left")
        .with_columns(
            # A name that moves between models has only the ability that a fact states: its own was another model's.
            ability_of=pl.coalesce(
                pl.when(stated).then("ability_as"),
                pl.when(pl.col("kind") != "alias").then(pl.coalesce("own", "variant")),
            )
        )
        .join(known, left_on="ability_of", right_on="key", how="left", maintain_order="left")
    )
    note = pl.when(pl.col("ability_of") != pl.col("model_id")).then(
        pl.format("as {}: {}", "ability_of", "ability_source")
    )
    rated = keyed.with_columns(ability_source=pl.coalesce(note, "ability_source"))
    own = rated.with_columns(pl.col(name).fill_null(value=False) for name in MEASURED_COLUMNS)
    joined = (*ABILITY_COLUMNS, *SD_COLUMNS, *MEASURED_COLUMNS, "ability_source", "ability_of")
    return with_predecessors(own.select(*models.columns, *joined))


def published_scores() -> pl.DataFrame:
    """Return abilities as published: ``ability_of``, ``category``, ``ability``, ``sd``, ``scores`` and ``source``.

    ``scores`` is 0 where those of a category are unusable alone.
    """
    data = resources.files("llm_audit.catalog").joinpath("abilities.csv").read_bytes()
    long = pl.read_csv(data, infer_schema_length=None).filter(pl.col("effort").is_null())
    usable = ~pl.col("source").is_in(UNUSABLE_ALONE)
    return long.group_by("model_id", "category", maintain_order=True).agg(
        pl.col("ability", "sd").cast(pl.Float64).first(),
        pl.when(usable).then("scores").otherwise(0).first().alias("scores"),
        pl.col("source").first(),
    ).rename({"model_id": "ability_of"})  # fmt: skip


def _packaged() -> pl.DataFrame:
    """Return the packaged table with a row for each model (``key``), at the effort of most of its results."""
    one = published_scores()
    unusable = one.filter(pl.col("source").is_in(UNUSABLE_ALONE))["ability_of"]
    only_unusable = pl.col("ability_of").is_in(unusable.implode()) & (pl.col("scores").max().over("ability_of") == 0)
    one = one.filter(~only_unusable)
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
    return one.group_by(key="ability_of").agg(**columns, ability_source=source).sort("key")
