"""``llm-audit models``: list the models of the catalogue."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from llm_audit.cli.table import ListFormat, show
from llm_audit.errors import UsageError


def models(
    pattern: Annotated[str, typer.Argument(help="Part of the name of a model or family.")] = "",
    *,
    category: Annotated[
        str, typer.Option(help="Category of the abilities to show, such as code, math or knowledge.")
    ] = "code",
    output_format: ListFormat = "table",
) -> None:
    """List models with tier, context window, capabilities, and ability with its 90% interval and source.

    Ability is in logits, on the same scale as the difficulty of prompts: a model solves half of the prompts whose
    difficulty equals its ability. An empty cell is unknown.
    """
    import polars as pl

    from llm_audit.catalog import Catalog
    from llm_audit.vocabulary import Category

    if category not in list(Category):
        raise UsageError(f"There is no category {category!r}; use one of {', '.join(Category)}.")
    frame = Catalog.load().frame
    found = frame.filter(
        pl.col("model_id").str.contains(pattern.lower(), literal=True)
        | pl.col("family").cast(pl.String).str.to_lowercase().str.contains(pattern.lower(), literal=True)
    ).sort("family", "model_id", nulls_last=True)
    if not found.height:
        raise UsageError(f"No model or family has {pattern!r} in its name.")
    rows = [_row(row, category, full=output_format == "json") for row in found.iter_rows(named=True)]
    show(rows, output_format, numeric=("context", "max output", "ability", "low", "high"))


_CAPABILITIES = ("vision", "audio", "tools", "json_schema", "reasoning")


def _row(row: dict[str, Any], category: str, *, full: bool) -> dict[str, Any]:
    ability, deviation = row[f"ability_{category}"], row[f"ability_{category}_sd"]
    margin = None if ability is None or deviation is None else 1.645 * deviation
    shown = {
        "model": row["model_id"],
        "family": row["family"],
        "tier": row["tier"],
        "released": None if row["released"] is None else str(row["released"]),
        "context": row["context_window"],
        "max output": row["max_output"],
        "ability": None if ability is None else f"{ability:+.2f}",
        "low": None if margin is None else f"{ability - margin:+.2f}",
        "high": None if margin is None else f"{ability + margin:+.2f}",
        "source": row["ability_source"],
    }
    if full:
        return shown | {name: row[name] for name in _CAPABILITIES}
    can = [name for name in _CAPABILITIES if row[name]]
    unknown = [f"{name}?" for name in _CAPABILITIES if row[name] is None]
    return {**shown, "can": [*can, *unknown]}
