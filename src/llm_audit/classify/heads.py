"""From linear scores to difficulty and category.

Four parts add up to a difficulty: the level of the kind of task; the expertise that the vocabulary shows; and, for
questions with one right answer, what the words say within the kind, and how long the ask is (an open-ended ask is not
harder for being described at length).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from llm_audit.classify.text.exam import FEWEST_OPTIONS
from llm_audit.classify.text.structure import NAMES
from llm_audit.vocabulary import Category

Array = npt.NDArray[np.float64]
KINDS: Final = {
    "code": Category.CODE,
    "math": Category.MATH,
    "reasoning": Category.REASONING,
    "facts": Category.KNOWLEDGE,  # closed questions of knowledge: exams, trivia
    "explanation": Category.KNOWLEDGE,  # open ones: explain, compare, give an overview
    "writing": Category.WRITING,
    "instruction": Category.INSTRUCTION,
}
"""Kinds of task told from text, each with its category. Tool use and long context show in a request's shape."""
COLUMNS: Final = ("difficulty", "expertise", *KINDS)
FIRST_KIND: Final = 2
CLOSED: Final = np.array([kind in ("code", "math", "reasoning", "facts") for kind in KINDS])
EXAM_NOTATION: Final = 0.3
"""How much of what notation says between sets it says between the items of one exam: MMLU-Pro within its subjects has
slopes of 0.27 and 0.40 of those between sets."""
_SHARPNESS: Final = 5.0
_LENGTH_RANGE: Final = (1.0, 6.0)
_LENGTH_CENTRE: Final = 4.0


def shares(scores: Array) -> Array:
    """Soft membership of the ``KINDS``, rows adding up to one."""
    z = scores[:, FIRST_KIND:]
    powers = np.exp(_SHARPNESS * (z - z.max(axis=1, keepdims=True)))
    out: Array = powers / powers.sum(axis=1, keepdims=True)
    return out


def lettered(raw: Array) -> npt.NDArray[np.bool_]:
    """Whether lettered options show an exam item."""
    return np.asarray(raw[:, NAMES.index("options")] >= FEWEST_OPTIONS)


def closed(scores: Array, raw: Array) -> Array:
    """How far an ask has one right answer, 0 to 1; lettered options settle it."""
    member = np.einsum("ij,j->i", shares(scores), CLOSED, optimize=False)
    return np.where(lettered(raw), 1.0, member)


def length(raw: Array) -> Array:
    """Logarithm of the words, bounded and centred."""
    return np.clip(raw[:, NAMES.index("words")], *_LENGTH_RANGE) - _LENGTH_CENTRE


def level_features(scores: Array, raw: Array) -> Array:
    """What the level of a task depends on: closed or open-ended, and how formal the notation of a closed one is.

    Benchmarks of one kind differ by more than the kinds do, so closed kinds share one level.
    """
    one_answer = closed(scores, raw)
    mathematical = shares(scores)[:, list(KINDS).index("math")] * np.minimum(raw[:, NAMES.index("backslashes")], 2.0)
    formal = one_answer * raw[:, NAMES.index("operators")]
    carried = np.where(lettered(raw), EXAM_NOTATION, 1.0)
    return np.column_stack([one_answer, 1 - one_answer, carried * mathematical, carried * formal])


def difficulty(scores: Array, raw: Array, *, level: Array, slope: Array) -> Array:
    """Difficulty in logits.

    Args:
        scores: Texts by ``COLUMNS``.
        raw: Structural features of the texts, columns ``structure.NAMES``.
        level: Weights of ``level_features``.
        slope: Logits a unit of ``length`` adds, for each of ``KINDS``.
    """
    words = scores[:, COLUMNS.index("difficulty")]
    kind = np.einsum("ij,j->i", level_features(scores, raw), level, optimize=False)
    steepness = np.einsum("ij,j->i", shares(scores), slope, optimize=False)
    total: Array = kind + expertise(scores, raw) + closed(scores, raw) * (words + steepness * length(raw))
    return total


def expertise(scores: Array, raw: Array) -> Array:
    """Logits that the vocabulary of a field adds, beyond the level of the kind.

    Learnt between sets, so it is left out where lettered options show an exam: there it would tell sets apart.
    """
    return np.where(lettered(raw), 0.0, scores[:, COLUMNS.index("expertise")])
