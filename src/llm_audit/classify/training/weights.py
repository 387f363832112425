"""From training items to the weights file."""

from __future__ import annotations

import io
import json
from typing import Final

import numpy as np

from llm_audit.classify import language
from llm_audit.classify.features import BUCKETS, buckets_numpy, pack
from llm_audit.classify.structure import NAMES
from llm_audit.classify.training import ridge
from llm_audit.classify.training.data import Items
from llm_audit.vocabulary import Category

SCORED_CATEGORIES: Final = list(Category)[:6]
LEVEL_SHARE: Final = 0.5
_RANGE: Final = 30_000  # leaves room below the limit of int16


def train(items: Items) -> bytes:
    """Fit every column and pack the weights, the same bytes for the same items."""
    design = ridge.Design.of(items.prompt)
    graded = ~np.isnan(items.within)
    within = ridge.fit(
        design,
        np.nan_to_num(items.within),
        weight=np.where(graded, items.weight, 0.0),
        penalty=3.0,
        dense_penalty=100.0,
    )
    level = ridge.fit(design, items.level, weight=items.weight, penalty=10.0, dense_penalty=100.0)
    columns = [ridge.add(within, level, LEVEL_SHARE)]
    known = np.array([category is not None for category in items.category])
    for category in SCORED_CATEGORIES:
        member = np.array([c is category for c in items.category])
        weight = np.where(
            known, np.where(member, 0.5 / max(member.sum(), 1), 0.5 / max((known & ~member).sum(), 1)), 0.0
        )
        weight *= known.sum()
        columns.append(ridge.fit(design, member * 2.0 - 1, weight=weight, penalty=3.0, dense_penalty=100.0))
    return pack_weights(["difficulty", *SCORED_CATEGORIES], columns)


def pack_weights(names: list[str], columns: list[ridge.Column]) -> bytes:
    """Quantise columns to integers and write them as one uncompressed NumPy archive."""
    sparse = np.stack([column[0] for column in columns], axis=1)
    scale = np.maximum(np.abs(sparse).max(axis=0), 1e-9) / _RANGE
    table = np.zeros((BUCKETS, len(names) + len(language.NAMES)), np.int16)
    table[:, : len(names)] = np.rint(sparse / scale).astype(np.int16)
    for offset, words in enumerate(language.FUNCTION_WORDS.values()):
        _, bucket, _ = buckets_numpy(*pack(words.split()))
        table[bucket, len(names) + offset] = language.UNIT
    dense = np.stack([column[1] for column in columns], axis=1)
    assert dense.shape[0] == len(NAMES)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        table=table,
        columns=np.frombuffer(json.dumps(names).encode(), np.uint8),
        scale=scale,
        dense=dense,
        bias=np.array([column[2] for column in columns]),
    )
    return buffer.getvalue()
