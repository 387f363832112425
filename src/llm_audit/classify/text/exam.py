"""Effect of the form of an exam item on its difficulty: statements judged at once, and answers that can be guessed.

An item with lettered options that puts ``k`` statements to judge is right only where every one of them is: for the
model at the zero of the scale P = p^k, where p is what the item's text says of a single one, taken as independent. One
of ``n`` options is right by chance where nothing else helps: P = 1/n + (1 - 1/n) p^k, the guessing parameter of
Birnbaum's three-parameter model (in Lord and Novick, Statistical Theories of Mental Test Scores, 1968).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from llm_audit.classify.features import clip
from llm_audit.vocabulary import Category

Array = npt.NDArray[np.float64]
FEWEST_OPTIONS: Final = 2
"""Lines that begin like an answer option, from which a text is an exam item."""
MOST_STATEMENTS: Final = 4
CATEGORY: Final = Category.KNOWLEDGE
"""Of exam items on any subject: what MMLU and MMLU-Pro, whose scores make that ability, are made of."""
_NUMBERED: Final = re.compile(r"\b([A-Z][a-z]+) ([1-9]) ?[|:]")
_ROMAN: Final = re.compile(r"(?:^|\s)(I{1,3}|IV|V)[.):]\s")


def statements(text: str) -> int:
    """The number of statements that an exam item puts to judge: ``Statement 1 | …``, ``Scenario 2: …``, ``II. …``."""
    labels: dict[str, set[str]] = {"": set(_ROMAN.findall(text))}
    for word, number in _NUMBERED.findall(text):
        labels.setdefault(word, set()).add(number)
    return min(max(1, *(len(numbers) for numbers in labels.values())), MOST_STATEMENTS)


def in_form(difficulty: Array, options: Array, texts: Sequence[bytes]) -> Array:
    """The difficulty, in logits, of texts in the form they are asked; other texts than exam items keep theirs.

    Args:
        difficulty: What the texts say of one statement, with no answer to choose from.
        options: Lines of each text that begin like an answer option.
        texts: The texts in UTF-8, of which only the part that is judged is looked at.
    """
    out = difficulty.copy()
    rows = np.flatnonzero(options >= FEWEST_OPTIONS)
    together = np.array([statements(clip(texts[row].decode())) for row in rows.tolist()], np.float64)
    chance = 1 / options[rows]
    right = chance + (1 - chance) * (0.5 * (1 - np.tanh(0.5 * difficulty[rows]))) ** together
    out[rows] = np.log1p(-right) - np.log(right)
    return out
