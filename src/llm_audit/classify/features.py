"""Text to numbers: hashed words and word pairs looked up in an integer table, and counts of what a text is made of.

Texts are clipped, packed into one buffer and scanned, by the compiled kernel where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from llm_audit.classify.characters import CLASS_OF_BYTE, COUNTS, FOLDED
from llm_audit.classify.hashing import buckets_numpy, hashes_numpy

try:
    from llm_audit.classify._kernel import scan as _scan_compiled
except ImportError:  # built where a C compiler is at hand; the NumPy form below gives the same integers
    COMPILED = False
else:
    COMPILED = True

HEAD_CHARS: Final = 2048
TAIL_CHARS: Final = 1024


def clip(text: str) -> str:
    """The part of a text that is judged: all of it, or its head and its tail."""
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text
    return f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"


def encoded(text: str) -> bytes:
    """Return a text in UTF-8. Lone surrogates, which JSON can escape and UTF-8 cannot hold, become question marks."""
    return text.encode("utf-8", "replace")


def pack(texts: Sequence[str]) -> tuple[bytes, npt.NDArray[np.int64]]:
    """Join clipped texts to one buffer; text ``i`` is ``buffer[starts[i]:starts[i + 1]]``, its last byte a newline."""
    return pack_encoded([encoded(text) for text in texts])


def pack_encoded(texts: Sequence[bytes]) -> tuple[bytes, npt.NDArray[np.int64]]:
    """Do the same for texts in UTF-8."""
    parts = [text if len(text) <= HEAD_CHARS + TAIL_CHARS else clip(text.decode()).encode() for text in texts]
    starts = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) + 1 for part in parts], out=starts[1:])
    return b"\n".join((*parts, b"")), starts


class Lexicon(msgspec.Struct, frozen=True):
    """Words and pairs that are known one by one, found by their full hash.

    ``keys`` are their hashes, ascending; ``evidence`` has a row for each and a column for each label.
    """

    keys: npt.NDArray[np.uint64]
    evidence: npt.NDArray[np.int16]


NO_LEXICON: Final = Lexicon(np.zeros(0, np.uint64), np.zeros((0, 0), np.int16))


class Scan(msgspec.Struct, frozen=True):
    """The result of a scan, a row a text.

    ``sums`` are the column sums of the table's rows that it hits, each row once; ``counts`` its ``COUNTS``; ``found``
    the evidence of the lexicon, summed over occurrences.
    """

    sums: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]
    found: npt.NDArray[np.int32]


def scan(texts: Sequence[str], table: npt.NDArray[np.int16], lexicon: Lexicon = NO_LEXICON) -> Scan:
    """Look up every distinct word and word pair of each text.

    Args:
        texts: Texts of any length; only the clipped part is read.
        table: ``BUCKETS`` rows of integer weights, C-contiguous.
        lexicon: Words and pairs to find by their full hash.
    """
    return scan_packed(*pack(texts), table, lexicon)


def scan_packed(
    buffer: bytes, starts: npt.NDArray[np.int64], table: npt.NDArray[np.int16], lexicon: Lexicon = NO_LEXICON
) -> Scan:
    """Do the same for packed texts."""
    if not COMPILED:
        return scan_numpy(buffer, starts, table, lexicon)
    texts = len(starts) - 1
    sums = np.zeros((texts, table.shape[1]), np.int32)
    counts = np.zeros((texts, len(COUNTS)), np.int32)
    found = np.zeros((texts, lexicon.evidence.shape[1]), np.int32)
    _scan_compiled(buffer, starts, CLASS_OF_BYTE, FOLDED, table, lexicon.keys, lexicon.evidence, sums, counts, found)
    return Scan(sums, counts, found)


def scan_numpy(
    buffer: bytes, starts: npt.NDArray[np.int64], table: npt.NDArray[np.int16], lexicon: Lexicon = NO_LEXICON
) -> Scan:
    """The same integers as the compiled kernel, for packed texts."""
    owner, bucket, counts = buckets_numpy(buffer, starts)
    sums = np.zeros((len(starts) - 1, table.shape[1]), np.int32)
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    if len(first):
        sums[owner[first]] = np.add.reduceat(table[bucket].astype(np.int32), first, axis=0)
    found = np.zeros((len(starts) - 1, lexicon.evidence.shape[1]), np.int32)
    if len(lexicon.keys):
        texts, hashes, _, _ = hashes_numpy(buffer, starts)
        place = np.minimum(np.searchsorted(lexicon.keys, hashes), len(lexicon.keys) - 1)
        known = lexicon.keys[place] == hashes
        np.add.at(found, texts[known], lexicon.evidence[place[known]].astype(np.int32))
    return Scan(sums, counts, found)
