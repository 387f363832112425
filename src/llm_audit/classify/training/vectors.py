"""Word vectors that a wheel ships, by table row: they let the heads know words that no training prompt holds.

wordllama (MIT, Copyright (c) 2024 Lee Miller) holds a vector of 256 numbers for each of 32,000 tokens. Only its
two data files are read. The words are those that o200k_base has a token for, most frequent first; where several share a
row, the first keeps it. A word of several tokens has their mean. At run time there are no vectors: a head's weight of a
vector is a number for each word, which training adds to the word's row.
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

from llm_audit.classify.features import WORD_BUCKETS, buckets_numpy, pack

_WEIGHTS: Final = "weights/l2_supercat_256.safetensors"
_TOKENS: Final = "tokenizers/l2_supercat_tokenizer_config.json"
_WORD_START: Final = "▁"
_WORD: Final = re.compile(rb" ([A-Za-z]{2,})")


def load(ranks: Mapping[bytes, int]) -> npt.NDArray[np.float64]:
    """Vectors of the rows for words, centred, of mean squared length one; zero where a row has no known word.

    Args:
        ranks: The rank of each token of an encoding, whose words are given vectors.

    Raises:
        PackageNotFoundError: wordllama is not installed; ``make train`` installs it.
    """
    folder = Path(str(distribution("wordllama").locate_file("wordllama")))
    vectors = _safetensors(folder / _WEIGHTS)
    tokens: dict[str, int] = json.loads((folder / _TOKENS).read_text(encoding="utf-8"))["model"]["vocab"]
    vocabulary = _vocabulary(ranks)
    _, bucket, _ = buckets_numpy(*pack(vocabulary))
    rows, first = np.unique(bucket, return_index=True)
    out = np.zeros((WORD_BUCKETS, vectors.shape[1]))
    for row, place in zip(rows.tolist(), first.tolist(), strict=True):
        out[row] = vectors[list(_pieces(vocabulary[place], tokens))].mean(axis=0)
    out[rows] -= out[rows].mean(axis=0)
    out /= np.sqrt((out[rows] ** 2).sum(axis=1).mean())
    return out


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
