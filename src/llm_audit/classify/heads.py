"""From linear scores to difficulty, kind of task and stakes.

The difficulty of an ask is one linear score of its words and its structure, learnt from sets whose level published
scores give, from prompts whose level a reader gave, and from outcomes of single prompts. Exam items, recognised by
their lettered options, are judged apart: they share one level, and their notation, length and words differ.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from llm_audit.classify.text.exam import FEWEST_OPTIONS
from llm_audit.classify.text.structure import NAMES
from llm_audit.vocabulary import Category, Stakes

Array = npt.NDArray[np.float64]
KINDS: Final = {
    "code": Category.CODE,
    "math": Category.MATH,
    "reasoning": Category.REASONING,
    "facts": Category.KNOWLEDGE,  # closed questions of knowledge: exams, trivia
    "explanation": Category.KNOWLEDGE,  # open ones: explain, compare, give an overview
    "writing": Category.WRITING,
    "instruction": Category.INSTRUCTION,
    "tool_use": Category.TOOL_USE,
    "data": Category.DATA,
    "science": Category.SCIENCE,
    "law": Category.LAW,
    "medicine": Category.MEDICINE,
    "finance": Category.FINANCE,
    "support": Category.SUPPORT,
    "extraction": Category.EXTRACTION,
    "rag": Category.RETRIEVAL,
    "translation": Category.TRANSLATION,
    "summarisation": Category.SUMMARISATION,
    "chat": Category.CHAT,
}
"""Kinds of task recognised from text, each with its category. A long context shows in a request's shape."""
COLUMNS: Final = ("within", "level", *KINDS)
FIRST_KIND: Final = 2
FIELDS: Final = {
    Category.MEDICINE: Stakes.MEDICAL,
    Category.LAW: Stakes.LEGAL,
    Category.FINANCE: Stakes.FINANCIAL,
}
ENOUGH_EVIDENCE: Final = 3
ENOUGH_IN_FIELD: Final = 2
FIELD_SHARE: Final = 0.4
"""Share of a field from which its stakes are marked without words of the lexicon, which no list can hold all of."""
GRADED: Final = ("code", "math", "science", "reasoning", "facts")
"""Kinds with one right answer whose items have difficulties of their own in the training tables."""
EXAM_NOTATION: Final = 0.3
"""Share of the slope of notation between sets that holds between the items of one exam: MMLU-Pro within its subjects
has slopes of 0.27 and 0.40 of those between sets."""
_SHARPNESS: Final = 5.0
_LENGTH_RANGE: Final = (1.0, 6.0)
_LENGTH_CENTRE: Final = 4.0


def shares(scores: Array) -> Array:
    """Soft membership of the ``KINDS``, rows adding up to one."""
    z = scores[:, FIRST_KIND:]
    powers = np.exp(_SHARPNESS * (z - z.max(axis=1, keepdims=True)))
    out: Array = powers / powers.sum(axis=1, keepdims=True)
    return out


def stakes(evidence: npt.NDArray[np.int32], category: npt.NDArray[np.uint8], kinds: Array) -> npt.NDArray[np.uint8]:
    """Return what is at stake in each text: 0 for nothing, else one more than an index into ``Stakes``.

    Args:
        evidence: Of the words of each text, a column for each of ``Stakes``.
        category: Their categories; that of a field lowers the bar for its stakes.
        kinds: Their ``shares``; a large one of a field needs no words of the lexicon.
    """
    least = np.full(evidence.shape, ENOUGH_EVIDENCE)
    of_field = np.zeros_like(evidence)
    for kind, field in KINDS.items():
        if field in FIELDS:
            of = list(Stakes).index(FIELDS[field])
            least[category == list(Category).index(field), of] = ENOUGH_IN_FIELD
            of_field[kinds[:, list(KINDS).index(kind)] >= FIELD_SHARE, of] = 1
    met = np.where(evidence >= least, evidence, 0)
    met = np.where(met.any(axis=1, keepdims=True), met, of_field)
    return np.where(met.max(axis=1) > 0, met.argmax(axis=1) + 1, 0).astype(np.uint8)


def lettered(raw: Array) -> npt.NDArray[np.bool_]:
    """Mark the exam items: texts with lettered options."""
    return np.asarray(raw[:, NAMES.index("options")] >= FEWEST_OPTIONS)


def length(raw: Array) -> Array:
    """Logarithm of the words, bounded and centred."""
    return np.clip(raw[:, NAMES.index("words")], *_LENGTH_RANGE) - _LENGTH_CENTRE


def notation(scores: Array, raw: Array) -> Array:
    """Measures of formality: mathematical notation, and operators."""
    mathematical = shares(scores)[:, list(KINDS).index("math")] * np.minimum(raw[:, NAMES.index("backslashes")], 2.0)
    return np.column_stack([mathematical, raw[:, NAMES.index("operators")]])


def difficulty(scores: Array, raw: Array, *, level: Array, exam: Array, slope: Array) -> Array:
    """Difficulty in logits.

    Args:
        scores: Texts by ``COLUMNS``.
        raw: Structural features of the texts, columns ``structure.NAMES``.
        level: Scores and the levels that they stand for, ascending; linear between, parallel to the score beyond.
        exam: The level of exam items, and weights of ``notation``.
        slope: Logits a unit of ``length`` adds to an exam item, for each of ``KINDS``.
    """
    found = level_of(scores[:, COLUMNS.index("level")], level)
    rows = np.flatnonzero(lettered(raw))
    found[rows] = sum(exam_parts(scores[rows], raw[rows], exam=exam, slope=slope))
    return found


def level_of(score: Array, level: Array) -> Array:
    """Levels of scores; see ``difficulty``."""
    known = np.clip(score, level[0, 0], level[0, -1])
    out: Array = np.interp(known, level[0], level[1]) + score - known
    return out


def exam_parts(scores: Array, raw: Array, *, exam: Array, slope: Array) -> tuple[Array, Array, Array, Array]:
    """Level, notation, length and words of exam items, in logits."""
    steepness = np.einsum("ij,j->i", shares(scores), slope, optimize=False)
    formal = np.einsum("ij,j->i", notation(scores, raw), EXAM_NOTATION * exam[1:], optimize=False)
    return np.full(len(raw), exam[0]), formal, steepness * length(raw), scores[:, 0]
