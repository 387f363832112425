"""Words that are known one by one: which languages have them, and what they say is at stake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from llm_audit.classify.features import Lexicon, pack
from llm_audit.classify.hashing import hashes_numpy
from llm_audit.classify.text import language
from llm_audit.classify.training.data import Items, shipped
from llm_audit.vocabulary import Stakes

FEWEST_ENGLISH = 4
"""Prompts in English that hold a word before it counts as English."""


def lexicon(items: Items) -> Lexicon:
    """Collect the evidence of words for ``language.NAMES``, then for ``Stakes``."""
    of_language = _languages(items)
    of_stakes = _stakes()
    keys = np.array(sorted({*of_language, *of_stakes}), np.uint64)
    has = np.zeros((len(keys), len(language.NAMES)), bool)
    stakes = np.zeros((len(keys), len(Stakes)), np.int16)
    for row, key in enumerate(keys.tolist()):
        has[row, sorted(of_language.get(key, ()))] = True
        for column, evidence in of_stakes.get(key, {}).items():
            stakes[row, column] = evidence
    return Lexicon(keys, np.hstack([language.evidence(has), stakes]))


def _languages(items: Items) -> dict[int, set[int]]:
    """The languages of words, by hash: those that list it, else those of the glossary and the prompts that hold it.

    Words of English prompts are of no language, whoever else has them; English evidence is function words alone.
    """
    out: dict[int, set[int]] = {}
    for place, name in enumerate(language.NAMES):
        if name != language.ENGLISH:
            glossary = shipped("glossary.csv")
            cells = glossary[name].str.to_lowercase().to_list() if name in glossary.columns else []
            for key in {*_words(cells), *_words(items.prompt[items.language == name].tolist())}:
                out.setdefault(key, set()).add(place)
    for key, times in Counter(_words(items.prompt[items.language == language.ENGLISH].tolist())).items():
        if times >= FEWEST_ENGLISH:
            out.pop(key, None)
    listed: dict[int, set[int]] = {}
    for name, words in shipped("function_words.csv").rows():
        # a single ASCII letter is as often a variable
        telling = [
            word for word in words.split() if name == language.ENGLISH or not (len(word) == 1 and word.isascii())
        ]
        for key in _words(telling):
            listed.setdefault(key, set()).add(language.NAMES.index(name))
    return out | listed


def _stakes() -> dict[int, dict[int, int]]:
    """The evidence of words for ``Stakes``, by hash; a phrase joined by ``_`` counts as a pair of words."""
    out: dict[int, dict[int, int]] = {}
    for name, evidence, words in shipped("stakes.csv").rows():
        column = list(Stakes).index(Stakes(name))
        for word in words.split():
            hashes, paired = _hashes([word.replace("_", " ")])[1:]
            for key in (hashes[paired:] if len(hashes) > paired else hashes).tolist():
                known = out.setdefault(key, {})
                known[column] = max(known.get(column, 0), evidence)
    return out


def _words(texts: Iterable[str]) -> list[int]:
    """The hashes of the words of texts, each once a text."""
    owner, hashes, paired = _hashes(list(texts))
    return sorted(key for _, key in set(zip(owner[:paired].tolist(), hashes[:paired].tolist(), strict=True)))


def _hashes(texts: list[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64], int]:
    if not texts:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64), 0
    owner, hashes, paired, _ = hashes_numpy(*pack(texts))
    return owner, hashes, paired
