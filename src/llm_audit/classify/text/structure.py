"""Structure of a text as a few bounded numbers for the linear heads."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from llm_audit.classify.characters import COUNTS

_AT: Final = {name: index for index, name in enumerate(COUNTS)}
_CHARACTERS: Final = slice(0, _AT["words"])
_MOST_OPTIONS: Final = 10.0
_LOGS: Final = (
    "numbers", "newlines", "full_stops", "commas", "question_marks", "operators", "brackets", "braces", "backslashes",
    "code_marks", "currency", "quotes", "long_words",
)  # fmt: skip
_SHARES: Final = ("upper", "digits", "operators", "long_words", "numbers")
NAMES: Final = (
    "characters",
    "words",
    "characters a word",
    "variety",
    "options",
    *(f"{name}" for name in _LOGS),
    *(f"share of {name}" for name in _SHARES),
)


def structure(counts: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Structural features of texts, named by ``NAMES``.

    Args:
        counts: ``COUNTS`` of each text, from ``features.scan``.

    Returns:
        A row a text: logarithms of counts (``log(1 + n)``) and shares of the characters or words.
    """
    floats = counts.astype(np.float64)
    characters = floats[:, _CHARACTERS].sum(axis=1)
    words = np.maximum(floats[:, _AT["words"]], 1)
    columns = [
        np.log1p(characters),
        np.log1p(words),
        np.minimum(characters / words, 20),
        floats[:, _AT["features"]] / (2 * words),
        np.minimum(floats[:, _AT["options"]], _MOST_OPTIONS),
        *(np.log1p(floats[:, _AT[name]]) for name in _LOGS),
        *(
            floats[:, _AT[name]] / (words if name in ("long_words", "numbers") else np.maximum(characters, 1))
            for name in _SHARES
        ),
    ]
    return np.stack(columns, axis=1)
