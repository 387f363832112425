"""Word vectors that a wheel ships, by table row: they let the heads know words that no training prompt holds.

wordllama (MIT, Copyright (c) 2024 Lee Miller) holds a vector of 256 numbers for each of 32,000 tokens. Only its
two data files are read. The words are those that o200k_base has a token for, most frequent first; where several share a
row, the first keeps it. A word of several tokens has their mean. At run time there are no vectors: a head's weight of a
vector is a number for each word, which training adds to the word's row.

A glossary of this project gives words of other languages the vectors of their English equivalents, so that the heads'
weights carry over to them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from llm_audit.classify.features import pack
from llm_audit.classify.hashing import BUCKETS, WORD_BUCKETS, buckets_numpy
from llm_audit.classify.training.data import shipped

_WEIGHTS: Final = "weights/l2_supercat_256.safetensors"
_TOKENS: Final = "tokenizers/l2_supercat_tokenizer_config.json"
_WORD_START: Final = "▁"
_WORD: Final = re.compile(rb" ([A-Za-z]{2,})")


def load(ranks: Mapping[bytes, int], glossary: Mapping[str, str] | None = None) -> npt.NDArray[np.float32]:
    """Vectors of the table's rows, centred, of mean squared length one; zero where a row has no known word.

    Args:
        ranks: The rank of each token of an encoding, whose words are given vectors.
        glossary: Words of other languages, each with the English word whose vector it is given.

    Raises:
        PackageNotFoundError: wordllama is not installed; ``make train`` installs it.
    """
    folder = Path(str(distribution("wordllama").locate_file("wordllama")))
    vectors = _safetensors(folder / _WEIGHTS)
    tokens: dict[str, int] = json.loads((folder / _TOKENS).read_text(encoding="utf-8"))["model"]["vocab"]
    of_word = dict(glossary or {}) | {word: word for word in reversed(_vocabulary(ranks))}
    vocabulary = list(reversed(of_word))
    out = np.zeros((BUCKETS, vectors.shape[1]), np.float32)
    known = np.zeros(BUCKETS, bool)
    for word, rows in zip(vocabulary, _rows(vocabulary), strict=True):
        new = rows[~known[rows]]
        known[new] = True
        out[new] = vectors[list(_pieces(of_word[word], tokens))].mean(axis=0) / len(rows)
    out[known] -= out[known].mean(axis=0)
    out /= np.sqrt((out[known].astype(np.float64) ** 2).sum(axis=1).mean())
    return out


def glossary() -> dict[str, str]:
    """Read the words of other languages, each with its English equivalent."""
    return {
        word: row["english"]
        for row in shipped("glossary.csv").rows(named=True)
        for name, cell in row.items()
        if name != "english"
        for word in cell.lower().split()
    }


def _rows(vocabulary: list[str]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the rows of each word: its own, or the pairs of its characters where these stand alone."""
    owner, bucket, _ = buckets_numpy(*pack(vocabulary))
    for rows in np.split(bucket, np.searchsorted(owner, np.arange(1, len(vocabulary)))):
        pairs = rows[rows >= WORD_BUCKETS]
        yield pairs if len(pairs) else rows


def _vocabulary(ranks: Mapping[bytes, int]) -> list[str]:
    """Words of Latin letters in the order of their rank, lower-cased."""
    found = (_WORD.fullmatch(token) for token in sorted(ranks, key=ranks.__getitem__))
    return list(dict.fromkeys(match[1].decode().lower() for match in found if match))


def _pieces(word: str, tokens: dict[str, int]) -> Iterator[int]:
    """The longest tokens that make up a word, from its start."""
    rest = _WORD_START + word
    while rest:
        end = next(end for end in range(len(rest), 0, -1) if rest[:end] in tokens)
        yield tokens[rest[:end]]
        rest = rest[end:]


def _safetensors(path: Path) -> npt.NDArray[np.float64]:
    """The one tensor of a safetensors file: a length, a JSON header, then half-precision numbers."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    (entry,) = (value for name, value in json.loads(content[8 : 8 + length]).items() if name != "__metadata__")
    start, end = entry["data_offsets"]
    flat = np.frombuffer(content[8 + length + start : 8 + length + end], "<f2")
    return flat.reshape(entry["shape"]).astype(np.float64)
