"""Correct estimated token counts by the tokens per character that the user's own rows report for each model.

Where a log holds enough rows of a model with both text and reported usage, their tokens per character replace the
bundled encodings' estimate in the rows of that model without usage. Rows with images or audio are left out, since their
tokens are not of the text.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from llm_audit.ledger.schema import UsageSource

MIN_ROWS = 50
"""Rows of a model from which its tokens per character are trusted."""

_INPUT = ("input", "cache_read", "cache_write_5m", "cache_write_1h")


def text_sums(rows: pl.LazyFrame) -> pl.DataFrame:
    """Return each model's sums of tokens and characters over the rows that have text and reported usage.

    Args:
        rows: Ledger rows.
    """
    text_only = ~pl.col("needs_vision").fill_null(value=False) & ~pl.col("needs_audio").fill_null(value=False)
    # reasoning is billed as output, and its text is not in the completion
    written = (
        (pl.col("completion_chars") > 0)
        & (pl.col("reasoning_tokens").fill_null(0) == 0)
        & pl.col("output_tokens").is_not_null()
    )
    return (
        rows.filter((pl.col("usage_source") == UsageSource.REPORTED.value) & (pl.col("prompt_chars") > 0) & text_only)
        .group_by("model")
        .agg(
            rows=pl.len().cast(pl.Int64),
            prompt_tokens=pl.sum_horizontal(pl.col(f"{kind}_tokens") for kind in _INPUT).sum(),
            prompt_chars=pl.col("prompt_chars").sum(),
            written_rows=written.sum().cast(pl.Int64),
            completion_tokens=pl.col("output_tokens").filter(written).sum(),
            completion_chars=pl.col("completion_chars").filter(written).sum(),
        )
        .collect()
    )


def add_sums(sums: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add up the sums of several groups of rows."""
    return pl.concat(sums).group_by("model").agg(pl.all().sum())


def tokens_per_char(sums: pl.DataFrame) -> pl.DataFrame:
    """Fit each model's tokens per character of prompt and completion, totals over totals.

    Args:
        sums: What ``text_sums`` or ``add_sums`` returns.

    Returns:
        ``model`` (as in the ledger), ``input_per_char`` and ``output_per_char`` (null where too few rows have
        completion text), ``rows``; models with at least ``MIN_ROWS`` rows.
    """
    return (
        sums.filter(pl.col("rows") >= MIN_ROWS)
        .select(
            "model",
            "rows",
            input_per_char=pl.col("prompt_tokens") / pl.col("prompt_chars"),
            output_per_char=pl.when(pl.col("written_rows") >= MIN_ROWS).then(
                pl.col("completion_tokens") / pl.col("completion_chars")
            ),
        )
        .sort(pl.col("model").cast(pl.String))
    )


def refit(rows: pl.DataFrame, fitted: pl.DataFrame) -> pl.DataFrame:
    """Replace estimated counts by the model's own tokens per character, where they could be fitted.

    The rows keep ``usage_source`` ``estimated``; image tokens are kept as estimated.

    Args:
        rows: Ledger rows.
        fitted: What ``tokens_per_char`` returns.
    """
    estimated = pl.col("usage_source") == UsageSource.ESTIMATED.value
    by_text = (pl.col("prompt_chars") * pl.col("input_per_char")).round().cast(pl.Int64)
    output = (pl.col("completion_chars") * pl.col("output_per_char")).round().cast(pl.Int64)
    return (
        rows.join(fitted, on="model", how="left", maintain_order="left")
        .with_columns(
            input_tokens=pl.when(estimated & (pl.col("prompt_chars") > 0) & by_text.is_not_null())
            .then(by_text + pl.col("image_input_tokens").fill_null(0))
            .otherwise("input_tokens"),
            output_tokens=pl.when(estimated & (pl.col("completion_chars") > 0) & output.is_not_null())
            .then(output)
            .otherwise("output_tokens"),
        )
        .select(rows.columns)
    )
