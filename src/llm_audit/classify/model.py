"""The classifier: weights, and the judgement of texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import xxhash

from llm_audit.classify import language
from llm_audit.classify.features import COUNTS, scan
from llm_audit.classify.structure import structure
from llm_audit.vocabulary import Abstention, Category

WEIGHTS: Final = "weights.npz"
BATCH: Final = 512
_NONE: Final = 0
_ABSTENTION_CODE: Final = {reason: code for code, reason in enumerate(Abstention, start=1)}
_CATEGORIES: Final = list(Category)
LONG_CONTEXT_CHARS: Final = 12_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the classifier says of texts, one entry a text.

    ``difficulty`` (float32) is in logits on the scale of the abilities, NaN where abstained. ``category`` (uint8) is an
    index into ``Category``. ``abstention`` (uint8) is 0 for none, else one more than an index into ``Abstention``.
    ``language`` is an ISO 639-1 code, a script's name, or None where a text shows none.
    """

    difficulty: npt.NDArray[np.float32]
    category: npt.NDArray[np.uint8]
    abstention: npt.NDArray[np.uint8]
    language: list[str | None]


@dataclass(frozen=True, slots=True)
class Classifier:
    """Trained weights. Scores are sums of integers, so they depend on nothing but the text.

    ``table`` has a column for each name in ``columns``; ``scale`` makes logits of a column's sum; ``dense`` holds the
    weights of the structural features for the same columns, ``bias`` their constants.
    """

    table: npt.NDArray[np.int16]
    columns: tuple[str, ...]
    scale: npt.NDArray[np.float64]
    dense: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]
    fingerprint: str

    @classmethod
    def load(cls) -> Self:
        """Load the weights shipped with the package; about 20 ms."""
        path = resources.files("llm_audit.classify").joinpath(WEIGHTS)
        with resources.as_file(path) as file:
            content = file.read_bytes()
            with np.load(file) as arrays:
                return cls(
                    table=arrays["table"],
                    columns=tuple(json.loads(bytes(arrays["columns"]))),
                    scale=arrays["scale"],
                    dense=arrays["dense"],
                    bias=arrays["bias"],
                    fingerprint=xxhash.xxh3_128_hexdigest(content),
                )

    def judge(self, texts: Sequence[str]) -> Judgement:
        """Judge texts; the same text is scored once.

        Returns:
            A judgement with an entry a text, in order, none of which depends on the other texts.
        """
        place: dict[str, int] = {}
        index = np.array([place.setdefault(text, len(place)) for text in texts], np.int64)
        distinct = list(place)
        parts = [self._judge(distinct[start : start + BATCH]) for start in range(0, len(distinct), BATCH)]
        if not parts:
            return Judgement(np.zeros(0, np.float32), np.zeros(0, np.uint8), np.zeros(0, np.uint8), [])
        languages = [name for part in parts for name in part.language]
        return Judgement(
            np.concatenate([part.difficulty for part in parts])[index],
            np.concatenate([part.category for part in parts])[index],
            np.concatenate([part.abstention for part in parts])[index],
            [languages[i] for i in index.tolist()],
        )

    def scores(
        self, texts: Sequence[str]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Raw column scores (texts by ``columns``), language hits and ``COUNTS`` of texts."""
        sums, counts = scan(texts, self.table)
        width = len(self.columns)
        norm = np.sqrt(np.maximum(counts[:, COUNTS.index("features")], 1))
        scores = sums[:, :width] * self.scale / norm[:, None] + self.bias
        # einsum without BLAS: a row's sum then does not depend on how many rows there are
        scores += np.einsum("ij,jk->ik", structure(counts), self.dense, optimize=False)
        return scores, sums[:, width:], counts

    def _judge(self, texts: list[str]) -> Judgement:
        scores, hits, counts = self.scores(texts)
        names, foreign = language.detect(counts, hits)
        first = self.columns.index(_CATEGORIES[0])
        category = np.argmax(scores[:, first:], axis=1).astype(np.uint8)
        lengths = np.array([len(text) for text in texts])
        category[lengths > LONG_CONTEXT_CHARS] = _CATEGORIES.index(Category.LONG_CONTEXT)
        abstention = np.full(len(texts), _NONE, np.uint8)
        abstention[foreign] = _ABSTENTION_CODE[Abstention.LANGUAGE]
        wordless = counts[:, COUNTS.index("words")] == 0
        abstention[wordless] = _ABSTENTION_CODE[Abstention.NO_SIGNAL]
        empty = np.array([not text.strip() for text in texts], bool)
        abstention[empty] = _ABSTENTION_CODE[Abstention.NO_TEXT]
        difficulty = scores[:, self.columns.index("difficulty")].astype(np.float32)
        difficulty[abstention != _NONE] = np.nan
        return Judgement(difficulty, category, abstention, names)
