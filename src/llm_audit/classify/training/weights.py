"""From training items to the weights file."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import numpy.typing as npt

from llm_audit.classify import heads
from llm_audit.classify.features import Lexicon
from llm_audit.classify.hashing import BUCKETS
from llm_audit.classify.learning import ridge
from llm_audit.classify.text.structure import NAMES
from llm_audit.classify.training.data import SET_WEIGHT, Items

Array = npt.NDArray[np.float64]
WITHIN_PENALTY: Final = 3.0
WITHIN_SHARE: Final = 0.3
"""Share of the words' effect within a kind that carries over to a source never seen: the slope of held-out difficulties
on them, where MMLU-Pro (0.28) or all of GSM8K (0.34) is left out."""
KIND_PENALTY: Final = 1.0
VECTOR_PENALTY: Final = 10.0
"""On the weights of the word vectors, for the kinds of task."""
DENSE_PENALTY: Final = 100.0
LEVEL_PENALTY: Final = 3.0
LEVEL_VECTOR_PENALTY: Final = 3.0
LEVEL_DENSE_PENALTY: Final = 30.0
LEVEL_FOLDS: Final = 3
"""Parts of the sources, and of the prompts that were read one by one, that are predicted from the others."""
LEVEL_KNOTS: Final = (-3.5, -2.5, -1.5, -0.5, 0.5)
"""Scores at which the map from score to level bends."""
LEVEL_MAP_PENALTY: Final = 50.0
"""On a knot's distance from the score itself, in weights of ``level_weight``."""
EXAM_PENALTY: Final = 100.0
"""The weight of about four full sources."""
EXAM_PRIOR: Final = (-1.8, -3.4)
"""Logits of graded kinds of task and of the others where no source says more."""
SOURCE_CAP: Final = 300
"""Items of a source that the heads see."""
SMALLEST_GROUP: Final = 50
SLOPE_PRIOR_GROUPS: Final = 8
READ_SOURCES: Final = ("arena_hard_v0.1", "asks")
"""Sources of all kinds whose prompts were read one by one; the others were labelled set by set."""
RULE_FACTOR: Final = 0.1
"""Weight, for kinds, of a source that fills one template."""
_BALANCE_ROUNDS: Final = 100
_RANGE: Final = 30_000  # leaves room below the limit of int16


def train(items: Items, lexicon: Lexicon, vectors: Array | None = None) -> bytes:
    """Fit every column and pack the weights, the same bytes for the same items and word vectors (``vectors.load``)."""
    graded = items.take(~np.isnan(items.within))
    graded_design = ridge.Design.of(graded.prompt.tolist())
    steepness = slopes(graded, graded_design.raw)
    some = items.take(capped(items.source))
    design = ridge.Design.of(some.prompt.tolist(), vectors)
    asks = ~np.isnan(some.level) & ~heads.lettered(design.raw)
    columns = [within(graded, graded_design, steepness), level(some, design, asks)]
    columns += [kind(some, design, some.kind == name, (some.kind != name) & (some.kind != "")) for name in heads.KINDS]
    scores = np.stack([design.predict(column) for column in columns], axis=1)
    kinds = slice(heads.FIRST_KIND, None)
    shift = balance(scores[read(some)], some.kind[read(some)])
    scores[:, kinds] += shift
    columns[kinds] = [
        (sparse, dense, bias + by) for (sparse, dense, bias), by in zip(columns[kinds], shift, strict=True)
    ]
    return _pack(
        columns,
        level=level_map(some, design, asks),
        exam=exam_levels(some, scores, design.raw),
        slope=steepness,
        lexicon=lexicon,
    )


def capped(source: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """Mark at most ``SOURCE_CAP`` items of each source, spread evenly over it; of those read one by one all."""
    out = _one_by_one(source)
    for name in np.unique(source[~out]):
        rows = np.flatnonzero(source == name)
        out[rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), SOURCE_CAP)).astype(np.int64))]] = True
    return out


def read(items: Items) -> npt.NDArray[np.bool_]:
    """Mark the items whose kind was read off the single prompt."""
    return np.asarray(_one_by_one(items.source) & (items.kind != ""))


def _one_by_one(source: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isin(source, READ_SOURCES) | np.char.startswith(source, "prompts:"))


def level(items: Items, design: ridge.Design, used: npt.NDArray[np.bool_]) -> ridge.Column:
    """Fit the level of asks to their words, their meaning and their structure, over the items in use."""
    return ridge.fit(
        design,
        np.where(used, items.level, 0.0),
        weight=np.where(used, items.level_weight, 0.0),
        penalty=LEVEL_PENALTY,
        dense_penalty=LEVEL_DENSE_PENALTY,
        vector_penalty=LEVEL_VECTOR_PENALTY,
    )


def level_map(items: Items, design: ridge.Design, used: npt.NDArray[np.bool_]) -> Array:
    """Fit the levels at ``LEVEL_KNOTS`` to what items get that are left out: a penalty draws those to the mean.

    Sources are left out entirely, prompts that were read one by one in turn.
    """
    single = np.char.startswith(items.source, "prompts:")
    place = np.where(single, np.arange(len(single)), np.unique(items.source, return_inverse=True)[1])
    predicted = np.zeros(len(items.prompt))
    for fold in range(LEVEL_FOLDS):
        out = place % LEVEL_FOLDS == fold
        predicted[out] = design.predict(level(items, design, used & ~out))[out]
    parts = (
        np.stack([np.interp(predicted, LEVEL_KNOTS, hat) for hat in np.eye(len(LEVEL_KNOTS))], axis=1)
        * np.sqrt(np.where(used, items.level_weight, 0.0))[:, None]
    )
    target = np.nan_to_num(items.level) - np.interp(predicted, LEVEL_KNOTS, LEVEL_KNOTS)
    square = np.einsum("ij,ik->jk", parts, parts) + LEVEL_MAP_PENALTY * np.eye(len(LEVEL_KNOTS))
    right = np.einsum("ij,i->j", parts, np.sqrt(np.where(used, items.level_weight, 0.0)) * target)
    return np.stack([LEVEL_KNOTS, np.maximum.accumulate(LEVEL_KNOTS + np.linalg.solve(square, right))])


def slopes(items: Items, raw: Array) -> Array:
    """Logits of difficulty a unit of ``heads.length`` adds, for each of ``heads.KINDS``; zero for those not graded.

    Estimated within groups that weigh alike, then drawn towards the mean of all groups as if that were
    ``SLOPE_PRIOR_GROUPS`` groups of the kind.
    """
    x = heads.length(raw)
    by_kind: dict[str, list[tuple[float, float]]] = {}
    for group in np.unique(items.group):
        rows = items.group == group
        if rows.sum() >= SMALLEST_GROUP:
            centred = x[rows] - x[rows].mean()
            moments = float((centred * items.within[rows]).mean()), float((centred * centred).mean())
            by_kind.setdefault(str(items.kind[rows][0]), []).append(moments)
    pooled = np.array([pair for pairs in by_kind.values() for pair in pairs]).mean(axis=0)
    out = np.zeros(len(heads.KINDS))
    for position, name in enumerate(heads.KINDS):
        if name in heads.GRADED:
            top, bottom = np.sum(by_kind.get(name, []), axis=0) + SLOPE_PRIOR_GROUPS * pooled
            out[position] = top / bottom
    return out


def within(items: Items, design: ridge.Design, steepness: Array) -> ridge.Column:
    """Fit hashed features to what beside its length makes a prompt harder than others of its source and category."""
    target = items.within.copy()
    x = heads.length(design.raw)
    for group in np.unique(items.group):
        rows = items.group == group
        steep = steepness[list(heads.KINDS).index(str(items.kind[rows][0]))]
        target[rows] -= steep * (x[rows] - x[rows].mean())
    column = ridge.fit(design, target, weight=items.weight, penalty=WITHIN_PENALTY, dense_penalty=np.inf)
    return WITHIN_SHARE * column[0], WITHIN_SHARE * column[1], WITHIN_SHARE * column[2]


def kind(items: Items, design: ridge.Design, yes: npt.NDArray[np.bool_], no: npt.NDArray[np.bool_]) -> ridge.Column:
    """Fit a column that tells one kind of prompt (+1) from the others (-1).

    Prompts that were read one by one count in full, the others of a source by the root of their number.
    """
    weight = np.zeros(len(items.prompt))
    single = read(items)
    for side in (yes, no):
        for source in np.unique(items.source[side]):
            rows = side & (items.source == source)
            factor = RULE_FACTOR if source.startswith("anchors:") else 1.0
            weight[rows] = np.where(single[rows], 1.0, factor * rows.sum() ** -0.5)
        if side.any():
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


def exam_levels(items: Items, scores: Array, raw: Array) -> Array:
    """The level of graded tasks and weights of their ``heads.notation``; sources count by their root."""
    graded = np.where(heads.lettered(raw) | np.isin(items.kind, heads.GRADED), 1.0, 0.0)
    carried = np.where(heads.lettered(raw), heads.EXAM_NOTATION, 1.0)[:, None] * graded[:, None]
    parts = np.column_stack([graded, 1 - graded, carried * heads.notation(scores, raw)])
    weight = np.where(np.isnan(items.level), 0.0, items.level_weight / SET_WEIGHT)
    weighted = parts * weight[:, None]
    prior = np.array([*EXAM_PRIOR, 0.0, 0.0])
    square = np.einsum("ij,ik->jk", weighted, parts) + EXAM_PENALTY * np.eye(parts.shape[1])
    right = np.einsum("ij,i->j", weighted, np.nan_to_num(items.level) - (parts * prior).sum(1))
    solved = np.add(prior, np.linalg.solve(square, right))
    out: Array = solved[[0, 2, 3]]
    return out


def _pack(columns: list[ridge.Column], *, level: Array, exam: Array, slope: Array, lexicon: Lexicon) -> bytes:
    """Quantise columns to integers and write them as one uncompressed NumPy archive."""
    sparse = np.stack([column[0] for column in columns], axis=1)
    scale = np.maximum(np.abs(sparse).max(axis=0), 1e-9) / _RANGE
    table = np.rint(sparse / scale).astype(np.int16)
    dense = np.stack([column[1] for column in columns], axis=1)
    assert (table.shape[0], dense.shape[0]) == (BUCKETS, len(NAMES))
    buffer = io.BytesIO()
    np.savez(
        buffer,
        table=table,
        scale=scale,
        dense=dense,
        bias=np.array([column[2] for column in columns]),
        level=level,
        exam=exam,
        slope=slope,
        keys=lexicon.keys,
        evidence=lexicon.evidence,
    )
    return buffer.getvalue()
