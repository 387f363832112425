"""Rebuild conversations where a log gives no id, from the history that prompts repeat and from traces."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.ledger.row_hashes import hash_rows

Positions = npt.NDArray[np.int64]
_SCOPE = ("team", "app", "user")
COLUMNS = (*_SCOPE, "conversation", "trace", "time", "prompt_hash", "parent_prompt_hash")


def conversation_ids(rows: pl.DataFrame) -> pl.Series:
    """Return the id of the conversation of each row.

    A conversation that the log identifies keeps its id. Else a request continues the latest earlier one of the same
    team, app and user whose prompt is its own up to the last reply, and requests of one trace belong together. The id
    is made of the rows' own content, so it depends neither on their order nor on how the log was split. A request with
    neither prompt nor trace has none.

    Args:
        rows: ``COLUMNS`` of the ledger, one row a request.

    Returns:
        ``conversation``, in the order of the rows.
    """
    unassigned = (
        rows.with_row_index("row")
        .filter(
            pl.col("conversation").is_null() & (pl.col("prompt_hash").is_not_null() | pl.col("trace").is_not_null())
        )
        .with_columns(pl.col("time").to_physical().fill_null(0), pl.col(*_SCOPE).to_physical().fill_null(2**32 - 1))
        .with_row_index("position")
    )
    if unassigned.is_empty():
        return rows["conversation"]
    own = hash_rows(
        [
            unassigned["prompt_hash"].fill_null(0).to_numpy(),
            unassigned["trace"].fill_null(0).to_numpy(),
            unassigned["time"].to_numpy().astype(np.uint64),
        ]
    )
    unassigned = unassigned.with_columns(pl.Series("own", own))
    labels = components(unassigned.height, [_continued(unassigned), _same_trace(unassigned)])
    ids = np.full(unassigned.height, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(ids, labels, own)
    return rows["conversation"].scatter(unassigned["row"], pl.Series(ids[labels]))


def _continued(unassigned: pl.DataFrame) -> tuple[Positions, Positions]:
    """Return pairs of a request and the one it continues."""
    keys = [*_SCOPE, "prompt_hash"]
    earlier = unassigned.filter(pl.col("prompt_hash").is_not_null()).select(*keys, "time", "own", parent="position")
    later = unassigned.filter(pl.col("parent_prompt_hash").is_not_null()).select(
        *_SCOPE, "time", "own", "position", prompt_hash="parent_prompt_hash"
    )
    pairs = (
        later.sort("time", "own")
        .join_asof(earlier.sort("time", "own"), on="time", by=keys, strategy="backward", check_sortedness=False)
        .filter(pl.col("parent").is_not_null())
    )
    return pairs["position"].to_numpy().astype(np.int64), pairs["parent"].to_numpy().astype(np.int64)


def _same_trace(unassigned: pl.DataFrame) -> tuple[Positions, Positions]:
    """Return pairs of a request and the first of its trace."""
    traced = unassigned.filter(pl.col("trace").is_not_null()).select(
        "position", first=pl.col("position").min().over("trace")
    )
    return traced["position"].to_numpy().astype(np.int64), traced["first"].to_numpy().astype(np.int64)


def components(count: int, edges: list[tuple[Positions, Positions]]) -> Positions:
    """Label ``count`` nodes by the smallest node they are connected to.

    Every round hooks each root to the smallest neighbouring root and then halves the paths by doubling pointers, so
    that a chain of any length takes a logarithmic number of rounds (Shiloach and Vishkin, 1982).
    """
    left = np.concatenate([pair[0] for pair in edges])
    right = np.concatenate([pair[1] for pair in edges])
    label = np.arange(count)
    while True:
        low, high = np.minimum(label[left], label[right]), np.maximum(label[left], label[right])
        open_edges = low != high
        if not open_edges.any():
            return label
        left, right = left[open_edges], right[open_edges]
        np.minimum.at(label, high[open_edges], low[open_edges])
        while (jumped := label[label]).tobytes() != label.tobytes():
            label = jumped
