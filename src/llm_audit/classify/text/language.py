"""The language of a text, as far as it decides whether the classifier may judge it.

Scripts show in the bytes. Among languages of one script the words decide: a lexicon of function words and of the words
of this project's own prompts, found by their full hash. Text with no evidence of a language, such as a formula or a
line of code, is judged.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from llm_audit.classify.characters import COUNTS

ENGLISH: Final = "en"
VALIDATED: Final = ("en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "zh", "ja", "ko", "hi", "ar")
"""Languages whose prompts are judged; ``docs/classifier.md`` says on what evidence."""
NAMES: Final = (
    *("en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "hi", "ar", "tr", "vi", "id", "sv", "da", "no", "fi", "cs"),
    *("ro", "hu", "uk", "bg", "fa", "ur", "mr"),
)
"""Languages that the lexicon has evidence of."""
ONLY_HERE, SHARED = 3, 1
"""Evidence of a word that one language has, and of one that several have."""
_LEAST_EVIDENCE: Final = 3
_OTHER_SCRIPT: Final = 0.3
_JAPANESE: Final = 0.2
_ACCENTED: Final = 0.04
_FEWEST_WORDS: Final = 4
_AT: Final = {name: index for index, name in enumerate(COUNTS)}
_BY_SCRIPT: Final = {
    "cyrillic": ("ru", "uk", "bg"),
    "arabic": ("ar", "fa", "ur"),
    "indic": ("hi", "mr"),
}
_LATIN: Final = [place for place, name in enumerate(NAMES) if not any(name in names for names in _BY_SCRIPT.values())]
_UNKNOWN_LATIN: Final = "latin"


def evidence(has: npt.NDArray[np.bool_]) -> npt.NDArray[np.int16]:
    """Return the evidence of words for each of ``NAMES``, from which of these have the word."""
    return np.where(has.sum(axis=1) == 1, ONLY_HERE, SHARED)[:, None].astype(np.int16) * has


def detect(
    counts: npt.NDArray[np.int32], found: npt.NDArray[np.int32]
) -> tuple[list[str | None], npt.NDArray[np.bool_]]:
    """Name the language of texts, and say which are in one the classifier was not validated on.

    Args:
        counts: ``COUNTS`` of each text.
        found: For each text, the evidence of each of ``NAMES``.

    Returns:
        ISO 639-1 codes, or a script's name where no language of it is known, None where nothing tells; and a mask of
        texts to abstain on.
    """
    ideographs = counts[:, [_AT["kana"], _AT["han"], _AT["hangul"]]].sum(axis=1)
    others = counts[:, [_AT[name] for name in (*_BY_SCRIPT, "alphabetic")]].sum(axis=1)
    latin = counts[:, [_AT["lower"], _AT["upper"], _AT["latin"]]].sum(axis=1)
    # one ideograph says about as much as four letters
    letters = latin + 4 * ideographs + others
    other_script = 4 * ideographs + others > _OTHER_SCRIPT * letters
    accented = (counts[:, _AT["latin"]] > _ACCENTED * letters) & (counts[:, _AT["words"]] >= _FEWEST_WORDS)
    of_latin = found[:, _LATIN]
    best = of_latin.argmax(axis=1)
    most = of_latin[np.arange(len(found)), best]
    english = found[:, NAMES.index(ENGLISH)]
    foreign = (most >= _LEAST_EVIDENCE) & (most > english)
    names: list[str | None] = [
        NAMES[_LATIN[place]] if other else ENGLISH if words else _UNKNOWN_LATIN if strange else None
        for place, other, words, strange in zip(
            best.tolist(), foreign.tolist(), english.tolist(), accented.tolist(), strict=True
        )
    ]
    for row in np.flatnonzero(other_script).tolist():
        names[row] = _of_script(counts[row].tolist(), found[row].tolist())
    return names, np.array([name is not None and name not in VALIDATED for name in names], bool)


def _of_script(counts: list[int], found: list[int]) -> str:
    ideographs = counts[_AT["kana"]] + counts[_AT["han"]] + counts[_AT["hangul"]]
    script = max(_BY_SCRIPT, key=lambda name: counts[_AT[name]])
    if 4 * ideographs > max(counts[_AT[script]], counts[_AT["alphabetic"]]):
        if 2 * counts[_AT["hangul"]] > ideographs:
            return "ko"
        return "ja" if counts[_AT["kana"]] > _JAPANESE * ideographs else "zh"
    if counts[_AT["alphabetic"]] > counts[_AT[script]]:
        return "alphabetic"
    best = max(_BY_SCRIPT[script], key=lambda name: found[NAMES.index(name)])
    return best if found[NAMES.index(best)] or script == "cyrillic" else script
