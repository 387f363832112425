"""Label files: prompts with the scores of models on them, as Parquet, JSONL or CSV."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from llm_audit.catalog import Catalog

    Abilities = npt.NDArray[np.float64]


STRONG, WEAK = "a strong model", "a weak model"
"""Names for the models of labels that do not name them."""


def read_labels(path: Path, *needed: str, as_text: bool = False) -> pl.DataFrame:
    """Read a label file.

    Args:
        path: The file.
        needed: Columns that it must have; rows that lack one of them are left out.
        as_text: Read a CSV file's values as they are written, so that an id of digits stays an id.

    Raises:
        UsageError: It cannot be read, or lacks a column.
    """
    import polars as pl

    readers: Mapping[str, Any] = {
        ".parquet": pl.read_parquet,
        ".jsonl": pl.read_ndjson,
        ".ndjson": pl.read_ndjson,
        ".csv": partial(pl.read_csv, infer_schema=not as_text),
    }
    if path.suffix not in readers:
        raise UsageError(f"{path} is not a label file; use {', '.join(readers)}.")
    try:
        frame: pl.DataFrame = readers[path.suffix](path)
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror or 'no such file'}.") from None
    except pl.exceptions.PolarsError as error:
        raise UsageError(f"{path} cannot be read as {path.suffix}: {str(error).splitlines()[0]}") from None
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise UsageError(f"{path} has no column {', '.join(missing)}; its columns are {', '.join(frame.columns)}.")
    return frame.drop_nulls([name for name in needed if name in frame.columns])


def abilities_of(catalog: Catalog, model: str | None, *, generic: float) -> Abilities:
    """Return a model's abilities by category, or the generic ability where no model is named.

    Raises:
        UsageError: The catalogue does not know the model, or does not know its abilities.
    """
    import numpy as np
    import polars as pl

    from llm_audit.vocabulary import Category

    if model is None:
        return np.full(len(Category), generic)
    name = catalog.resolve(None, model)
    rows = catalog.frame.filter(pl.col("model_id") == name) if name else catalog.frame.clear()
    values = [rows[f"ability_{category}"][0] if rows.height else None for category in Category]
    if any(value is None for value in values):
        raise UsageError(f"The abilities of the model {model!r} are unknown; `llm-audit models` lists the known ones.")
    return np.array(values, dtype=np.float64)
