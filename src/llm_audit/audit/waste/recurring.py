"""What waste in a part of a log depends on in all of it: small tables, and what they say of the part's requests."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.audit.waste.inputs import Recurring
from llm_audit.audit.waste.prefixes import prefixes
from llm_audit.audit.waste.tools import unused_tools
from llm_audit.policy import Columns
from llm_audit.pricing import distinct_keys


class Habits(msgspec.Struct, kw_only=True, frozen=True):
    """Tables of a whole log.

    Attributes:
        cache_reads: The templates and models of which a request read from a cache.
        usual: See ``survey.usual_outputs``.
        uncached: See ``prefixes.uncached``.
        called_tools: See ``tools.called_tools``.
    """

    cache_reads: pl.DataFrame
    usual: pl.DataFrame
    uncached: pl.DataFrame
    called_tools: pl.DataFrame


def recurring(columns: Columns, habits: Habits, repeated: pl.DataFrame) -> Recurring:
    """Return what the whole log tells of a part's requests.

    Args:
        columns: Reads columns of the part.
        habits: Of the whole log.
        repeated: The part's prompts that were sent again: see ``repeats.find_repeats``.
    """
    names = columns(["template_hash", "model"]).collect()
    keys = ["template_hash", "model"]
    number = distinct_keys([names[key] for key in keys])
    read = habits.cache_reads.with_columns(read=pl.lit(value=True))
    known = (
        names[number.first_rows()]
        .with_columns(pl.col("model").cast(pl.String))
        .join(read, on=keys, how="left", maintain_order="left")
        .join(habits.usual, on=keys, how="left", maintain_order="left")
        .select(pl.col("read").fill_null(value=False), pl.col("usual").fill_null(float("nan")))[number.codes]
    )

    def rows(*, retry: bool) -> npt.NDArray[np.int64]:
        return repeated.filter(pl.col("retry") == retry)["row"].cast(pl.Int64).to_numpy()

    return Recurring(
        retries=rows(retry=True),
        repeats=rows(retry=False),
        cache_read=known["read"].to_numpy(),
        usual_output=known["usual"].to_numpy(),
        prefixes=prefixes(columns, habits.uncached),
        unused_tools=unused_tools(columns, habits.called_tools),
    )
