"""From training items to the weights file."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import numpy.typing as npt

from llm_audit.classify import heads
from llm_audit.classify.features import BUCKETS, buckets_numpy, pack
from llm_audit.classify.learning import ridge
from llm_audit.classify.text import language
from llm_audit.classify.text.structure import NAMES
from llm_audit.classify.training.data import Items

Array = npt.NDArray[np.float64]
WITHIN_PENALTY: Final = 3.0
WITHIN_SHARE: Final = 0.3
"""How far the words within a kind carry over to a source never seen: the slope of held-out difficulties on them, where
MMLU-Pro (0.28) or all of GSM8K (0.34) is left out."""
KIND_PENALTY: Final = 3.0
VECTOR_PENALTY: Final = 3.0
"""On the weights of the word vectors, for the kinds of task."""
EXPERTISE_PENALTY: Final = 300.0
EXPERTISE_VECTOR_PENALTY: Final = 1000.0
"""What is learnt between sets rests on few of them; a weaker penalty tells the prompts of one set apart by noise."""
DENSE_PENALTY: Final = 100.0
LEVEL_PENALTY: Final = 100.0
"""The weight of about four full sources."""
LEVEL_PRIOR: Final = (-1.8, -3.4)
"""Logits of closed and of open-ended tasks where no source says more."""
SOURCE_CAP: Final = 600
"""Items of a source beyond this add no weight to heads that tell kinds of task apart."""
SMALLEST_GROUP: Final = 50
SLOPE_PRIOR_GROUPS: Final = 8
READ_SOURCES: Final = ("arena_hard_v0.1", "asks")
"""Sources of all kinds whose prompts were told one by one; the others were labelled as whole sets."""
READ_FACTOR: Final = 6.0
"""How much more a prompt's kind counts there: these alone are varied, and like what people ask."""
_BALANCE_ROUNDS: Final = 100
_RANGE: Final = 30_000  # leaves room below the limit of int16


def train(items: Items, vectors: Array | None = None) -> bytes:
    """Fit every column and pack the weights, the same bytes for the same items and word vectors (``vectors.load``)."""
    design = ridge.Design.of(items.prompt, vectors)
    steepness = slopes(items, design.raw)
    columns = [within(items, design, steepness)]
    columns += [
        kind(items, design, items.kind == name, (items.kind != name) & (items.kind != "")) for name in heads.KINDS
    ]
    columns.insert(1, (np.zeros(BUCKETS), np.zeros(len(NAMES)), 0.0))
    scores = np.stack([design.predict(column) for column in columns], axis=1)
    read = np.isin(items.source, READ_SOURCES) & (items.kind != "")
    shift = balance(scores[read], items.kind[read])
    scores[:, heads.FIRST_KIND :] += shift
    kinds = zip(columns[heads.FIRST_KIND :], shift, strict=True)
    columns[heads.FIRST_KIND :] = [(sparse, dense, bias + by) for (sparse, dense, bias), by in kinds]
    parts = heads.level_features(scores, design.raw)
    levels = level(items, parts)
    between = items.level - np.nan_to_num(items.within)
    columns[1] = expertise(items, design, between - (parts * levels).sum(1))
    return _pack(columns, level=levels, slope=steepness)


def expertise(items: Items, design: ridge.Design, target: Array) -> ridge.Column:
    """What of a group's mean level its vocabulary tells, beyond the level of its kind; sources count by their root."""
    weight = _by_source(items)
    return ridge.fit(
        design,
        target,
        weight=weight / weight.mean(),
        penalty=EXPERTISE_PENALTY,
        dense_penalty=np.inf,
        vector_penalty=EXPERTISE_VECTOR_PENALTY,
    )


def _by_source(items: Items) -> Array:
    weight: Array = np.zeros(len(items.prompt))
    for source in np.unique(items.source):
        rows = items.source == source
        weight[rows] = min(int(rows.sum()), SOURCE_CAP) ** 0.5 / rows.sum()
    return weight


def slopes(items: Items, raw: Array) -> Array:
    """Logits of difficulty a unit of ``heads.length`` adds, for each of ``heads.KINDS``; zero for open-ended ones.

    Estimated within groups that weigh alike, then drawn towards the mean of all groups as if that were
    ``SLOPE_PRIOR_GROUPS`` groups of the kind.
    """
    x = heads.length(raw)
    by_kind: dict[str, list[tuple[float, float]]] = {}
    for group in np.unique(items.group[~np.isnan(items.within)]):
        rows = items.group == group
        if rows.sum() >= SMALLEST_GROUP:
            centred = x[rows] - x[rows].mean()
            moments = float((centred * items.within[rows]).mean()), float((centred * centred).mean())
            by_kind.setdefault(str(items.kind[rows][0]), []).append(moments)
    pooled = np.array([pair for pairs in by_kind.values() for pair in pairs]).mean(axis=0)
    out = np.zeros(len(heads.KINDS))
    for position, name in enumerate(heads.KINDS):
        if heads.CLOSED[position]:
            top, bottom = np.sum(by_kind.get(name, []), axis=0) + SLOPE_PRIOR_GROUPS * pooled
            out[position] = top / bottom
    return out


def within(items: Items, design: ridge.Design, steepness: Array) -> ridge.Column:
    """What beside its length makes a prompt harder than others of its source and category: hashed features alone."""
    graded = ~np.isnan(items.within)
    target = np.nan_to_num(items.within)
    x = heads.length(design.raw)
    for group in np.unique(items.group[graded]):
        rows = items.group == group
        steep = steepness[list(heads.KINDS).index(str(items.kind[rows][0]))]
        target[rows] -= steep * (x[rows] - x[rows].mean())
    weight = np.where(graded, items.weight, 0.0)
    sparse, dense, bias = ridge.fit(design, target, weight=weight, penalty=WITHIN_PENALTY, dense_penalty=np.inf)
    return WITHIN_SHARE * sparse, WITHIN_SHARE * dense, WITHIN_SHARE * bias


def kind(items: Items, design: ridge.Design, yes: npt.NDArray[np.bool_], no: npt.NDArray[np.bool_]) -> ridge.Column:
    """Tell one kind of prompt (+1) from the others (-1); every source counts by the root of its size."""
    weight = np.zeros(len(items.prompt))
    for side in (yes, no):
        for source in np.unique(items.source[side]):
            rows = side & (items.source == source)
            factor = READ_FACTOR if source in READ_SOURCES else 1.0
            weight[rows] = factor * min(rows.sum(), SOURCE_CAP) ** 0.5 / rows.sum()
        weight[side] *= len(items.prompt) / 2 / weight[side].sum()
    return ridge.fit(
        design,
        np.where(yes, 1.0, -1.0),
        weight=weight,
        penalty=KIND_PENALTY,
        dense_penalty=DENSE_PENALTY,
        vector_penalty=VECTOR_PENALTY,
    )


def balance(scores: Array, kinds: npt.NDArray[np.str_]) -> Array:
    """Shifts of the kinds' scores that give prompts of all kinds the shares that they have by their labels.

    The labelled sources of a kind differ in number and breadth, so an unfamiliar text would fall to the broadest.
    """
    share = np.array([1 + (kinds == name).sum() for name in heads.KINDS]) / (len(kinds) + len(heads.KINDS))
    shift = np.zeros(len(share))
    for _ in range(_BALANCE_ROUNDS):
        moved = scores.copy()
        moved[:, heads.FIRST_KIND :] += shift
        shift += 0.1 * np.log(share / heads.shares(moved).mean(axis=0))
    centred: Array = shift - float(shift.mean())
    return centred


def level(items: Items, parts: Array) -> Array:
    """Weights of ``heads.level_features`` for the mean difficulty of a kind of prompt; sources count by their root."""
    weight = _by_source(items)
    weighted = parts * weight[:, None]
    prior = np.array([*LEVEL_PRIOR, 0.0, 0.0])
    square = np.einsum("ij,ik->jk", weighted, parts) + LEVEL_PENALTY * np.eye(parts.shape[1])
    right = np.einsum("ij,i->j", weighted, items.level - (parts * prior).sum(1))
    solved: Array = np.add(prior, np.linalg.solve(square, right))
    return solved


def _pack(columns: list[ridge.Column], *, level: Array, slope: Array) -> bytes:
    """Quantise columns to integers and write them as one uncompressed NumPy archive."""
    sparse = np.stack([column[0] for column in columns], axis=1)
    scale = np.maximum(np.abs(sparse).max(axis=0), 1e-9) / _RANGE
    table = np.zeros((BUCKETS, len(columns) + len(language.NAMES)), np.int16)
    table[:, : len(columns)] = np.rint(sparse / scale).astype(np.int16)
    for offset, words in enumerate(language.FUNCTION_WORDS.values()):
        _, bucket, _ = buckets_numpy(*pack(words.split()))
        table[bucket, len(columns) + offset] = 1
    dense = np.stack([column[1] for column in columns], axis=1)
    assert dense.shape[0] == len(NAMES)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        table=table,
        scale=scale,
        dense=dense,
        bias=np.array([column[2] for column in columns]),
        level=level,
        slope=slope,
    )
    return buffer.getvalue()
