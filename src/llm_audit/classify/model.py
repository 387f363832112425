"""The classifier: weights, and the judgement of texts."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Final, Self

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash
from msgspec.structs import replace

from llm_audit.classify import heads, weights
from llm_audit.classify.characters import COUNTS
from llm_audit.classify.features import Lexicon, encoded, pack_encoded, scan_packed
from llm_audit.classify.text import exam, language
from llm_audit.classify.text.structure import structure
from llm_audit.vocabulary import Abstention, Category

BATCH: Final = 2048
_NONE: Final = 0
_ABSTENTION_CODE: Final = {reason: code for code, reason in enumerate(Abstention, start=1)}
_CATEGORIES: Final = list(Category)
_CODES: Final = np.array([_CATEGORIES.index(category) for category in heads.KINDS.values()], np.uint8)
DELTA_UNIT: Final = 1e-4
"""Logits of one step of a calibration's integer weights."""
_INT16: Final = 32_767
LONG_CONTEXT_CHARS: Final = 12_000


class Judgement(msgspec.Struct, frozen=True):
    """The classifier's judgement of texts, one entry a text.

    ``difficulty`` (float32) is in logits on the scale of the abilities, NaN where abstained. ``category`` (uint8) is an
    index into ``Category``. ``abstention`` (uint8) is 0 for none, else one more than an index into ``Abstention``.
    ``stakes`` (uint8) is 0 for none, else one more than an index into ``Stakes``. ``language`` is an ISO 639-1 code, a
    script's name, or None where a text shows none.
    """

    difficulty: npt.NDArray[np.float32]
    category: npt.NDArray[np.uint8]
    abstention: npt.NDArray[np.uint8]
    stakes: npt.NDArray[np.uint8]
    language: list[str | None]


class Scores(msgspec.Struct, frozen=True):
    """Scores of texts by ``heads.COLUMNS``, with what they rest on.

    ``raw`` are the structural features (``structure.NAMES``), ``counts`` what is counted (``features.COUNTS``),
    ``languages`` and ``stakes`` the lexicon's evidence, by ``language.NAMES`` and ``Stakes``.
    """

    scores: npt.NDArray[np.float64]
    raw: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int32]
    languages: npt.NDArray[np.int32]
    stakes: npt.NDArray[np.int32]


class Classifier(msgspec.Struct, frozen=True):
    """Trained weights. Scores are sums of integers, so they depend on nothing but the text.

    ``table`` has a column for each of ``heads.COLUMNS``; ``scale`` makes logits of a column's sum; ``dense`` holds the
    weights of the structural features for the same columns, ``bias`` their constants. ``level``, ``exam`` and
    ``slope`` are arguments of ``heads.difficulty``. ``lexicon`` has evidence of languages and stakes.
    ``delta`` is what a calibration adds to the difficulty; it carries no text over ``most`` logits.
    """

    table: npt.NDArray[np.int16]
    scale: npt.NDArray[np.float64]
    dense: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]
    level: npt.NDArray[np.float64]
    exam: npt.NDArray[np.float64]
    slope: npt.NDArray[np.float64]
    lexicon: Lexicon
    fingerprint: str
    delta: npt.NDArray[np.int16] | None = None
    most: float = math.inf

    @classmethod
    def load(cls) -> Self:
        """Load the weights shipped with the package; about 10 ms."""
        return cls.read(io.BytesIO(weights.shipped()))

    @classmethod
    def read(cls, content: io.BytesIO) -> Self:
        """Read weights as training packs them."""
        with np.load(content) as arrays:
            return cls(
                **{name: arrays[name] for name in ("table", "scale", "dense", "bias", "level", "exam", "slope")},
                lexicon=Lexicon(arrays["keys"], arrays["evidence"]),
                fingerprint=xxhash.xxh3_128_hexdigest(content.getvalue()),
            )

    def with_delta(self, sparse: npt.NDArray[np.float64], *, most: float, fingerprint: str) -> Self:
        """Add to the difficulty a column of logits by bucket, as ``calibrate`` finds them."""
        steps = np.rint(sparse[:, None] / DELTA_UNIT).clip(-_INT16, _INT16)
        return replace(self, delta=steps.astype(np.int16), most=most, fingerprint=fingerprint)

    def judge(self, texts: Sequence[str]) -> Judgement:
        """Judge texts; the same text is scored once.

        Returns:
            A judgement with an entry a text, in order, none of which depends on the other texts.
        """
        place: dict[str, int] = {}
        index = np.array([place.setdefault(text, len(place)) for text in texts], np.int64)
        found = self.judge_encoded([*map(encoded, place)])
        return Judgement(
            found.difficulty[index],
            found.category[index],
            found.abstention[index],
            found.stakes[index],
            [found.language[row] for row in index.tolist()],
        )

    def judge_encoded(self, texts: Sequence[bytes]) -> Judgement:
        """Judge texts in UTF-8, as they come."""
        parts = [self._judge(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        if not parts:
            none = np.zeros(0, np.uint8)
            return Judgement(np.zeros(0, np.float32), none, none, none, [])
        return Judgement(
            np.concatenate([part.difficulty for part in parts]),
            np.concatenate([part.category for part in parts]),
            np.concatenate([part.abstention for part in parts]),
            np.concatenate([part.stakes for part in parts]),
            [name for part in parts for name in part.language],
        )

    def scores(self, texts: Sequence[bytes]) -> Scores:
        """Score texts in UTF-8 without deciding anything; see ``Scores``."""
        return self._scores(*pack_encoded(texts))

    def _scores(self, buffer: bytes, starts: npt.NDArray[np.int64]) -> Scores:
        scanned = scan_packed(buffer, starts, self.table, self.lexicon)
        counts = scanned.counts
        norm = np.sqrt(np.maximum(counts[:, COUNTS.index("features")], 1))
        raw = structure(counts)
        scores = scanned.sums * self.scale / norm[:, None] + self.bias
        # einsum without BLAS: a row's sum then does not depend on how many rows there are
        scores += np.einsum("ij,jk->ik", raw, self.dense, optimize=False)
        return Scores(scores, raw, counts, *np.split(scanned.found, [len(language.NAMES)], axis=1))

    def _judge(self, texts: Sequence[bytes]) -> Judgement:
        packed = pack_encoded(texts)
        scored = self._scores(*packed)
        counts = scored.counts
        names, foreign = language.detect(counts, scored.languages)
        kinds = heads.shares(scored.scores)
        category = _CODES[np.argmax(kinds, axis=1)]
        options = counts[:, COUNTS.index("options")].astype(np.float64)
        category[heads.lettered(scored.raw)] = _CATEGORIES.index(exam.CATEGORY)
        category[_long(texts)] = _CATEGORIES.index(Category.LONG_CONTEXT)
        abstention = np.full(len(texts), _NONE, np.uint8)
        abstention[foreign] = _ABSTENTION_CODE[Abstention.LANGUAGE]
        wordless = counts[:, COUNTS.index("words")] == 0
        abstention[wordless] = _ABSTENTION_CODE[Abstention.NO_SIGNAL]
        abstention[_blank(*packed, texts)] = _ABSTENTION_CODE[Abstention.NO_TEXT]
        of_text = heads.difficulty(scored.scores, scored.raw, level=self.level, exam=self.exam, slope=self.slope)
        difficulty = exam.in_form(of_text, options, texts)
        if self.delta is not None:
            sums = scan_packed(*packed, self.delta).sums
            norm = np.sqrt(np.maximum(counts[:, COUNTS.index("features")], 1))
            difficulty = calibrated(difficulty, sums[:, 0] * DELTA_UNIT / norm, most=self.most)
        difficulty[abstention != _NONE] = np.nan
        stakes = heads.stakes(scored.stakes, category, kinds)
        return Judgement(difficulty.astype(np.float32), category, abstention, stakes, names)


def _blank(buffer: bytes, starts: npt.NDArray[np.int64], texts: Sequence[bytes]) -> list[int]:
    """Return which texts are blank; those that begin with a character of ASCII that shows are not."""
    first = np.frombuffer(buffer, np.uint8)[starts[:-1]]
    return [
        row
        for row in np.flatnonzero((first <= ord(" ")) | (first > ord("~"))).tolist()
        if not texts[row].decode().strip()
    ]


def _long(texts: Sequence[bytes]) -> list[int]:
    """Return which texts are long contexts; a text in UTF-8 has at least as many bytes as characters."""
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    return [
        row
        for row in np.flatnonzero(sizes > LONG_CONTEXT_CHARS).tolist()
        if len(texts[row].decode()) > LONG_CONTEXT_CHARS
    ]


def calibrated(
    difficulty: npt.NDArray[np.float64], added: npt.NDArray[np.float64], *, most: float
) -> npt.NDArray[np.float64]:
    """The difficulty with what was learnt, which makes nothing harder than ``most`` that was not so before."""
    return np.minimum(difficulty + added, np.maximum(difficulty, most))
