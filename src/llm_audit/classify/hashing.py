"""Words and word pairs to rows of the weights' table, by a hash of their bytes, in NumPy.

The hash is part of the weights, so it is defined here once and never changes under a given ``HASH_VERSION``. A word's
hash is the polynomial ``sum(byte[k] * BASE**k) mod 2**64`` over its bytes, with upper case folded and every digit read
as ``0``; of a word with letters beyond ASCII only the first ``STEM_CHARACTERS`` count, so that its inflected forms fall
together. A finaliser mixes the hash, and its top ``BUCKET_BITS`` bits are the row of the table. Words take the first
half of the rows and pairs the second, so that a pair never lands on a word's row. All arithmetic is on integers, so the
compiled kernel and this form agree bit for bit, and neither depends on the batch.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from llm_audit.classify.characters import ALONE, CLASS_OF_BYTE, COUNTS, FOLDED, OPTION_LETTER, WORD_CLASS

HASH_VERSION: Final = 3
BUCKET_BITS: Final = 16
WORD_BUCKETS: Final = 1 << BUCKET_BITS
BUCKETS: Final = 2 * WORD_BUCKETS
BASE: Final = 0x9E3779B97F4A7C15
MIX: Final = 0xD6E8FEB86659FD93
PAIR: Final = 0xA0761D6478BD642F
LONG_WORD_BYTES: Final = 8
STEM_CHARACTERS: Final = 5


def words(text: str) -> list[str]:
    """The words of a text as the hash sees them: case folded, digits read as 0, ideographs one by one."""
    out: list[str] = []
    inside = False
    for character in text:
        kind = CLASS_OF_BYTE[character.encode("utf-8", "replace")[0]]
        if kind in ALONE:
            out.append(character)
            inside = False
        elif WORD_CLASS[kind]:
            folded = character.lower() if character.isascii() else character
            folded = "0" if folded.isascii() and folded.isdigit() else folded
            if inside:
                out[-1] += folded
            else:
                out.append(folded)
            inside = True
        else:
            inside = False
    return out


def buckets_numpy(
    buffer: bytes, starts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Find the distinct table rows of packed texts.

    Returns:
        ``(text, bucket, counts)``: parallel indices, sorted, each pair once; and ``COUNTS`` with ``features`` filled.
    """
    owner, hashes, paired, counts = hashes_numpy(buffer, starts)
    rows = (hashes >> np.uint64(64 - BUCKET_BITS)).astype(np.int64)
    rows[paired:] += WORD_BUCKETS
    found, bucket = np.divmod(np.unique(owner * BUCKETS + rows), np.int64(BUCKETS))
    counts[:, COUNTS.index("features")] = np.bincount(found, minlength=len(starts) - 1)
    return found, bucket, counts


def hashes_numpy(
    buffer: bytes, starts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64], int, npt.NDArray[np.int32]]:
    """Hash every word and then every pair of packed texts.

    Returns:
        ``(text, hash, paired, counts)``: parallel arrays of occurrences, those of pairs from ``paired`` on; and
        ``COUNTS`` but for ``features``.
    """
    texts = len(starts) - 1
    data = np.frombuffer(buffer, np.uint8)
    counts = np.zeros((texts, len(COUNTS)), np.int32)
    owner = np.repeat(np.arange(texts), np.diff(starts))
    lead = np.flatnonzero((data & 0xC0) != 0x80)
    of_char = CLASS_OF_BYTE[data[lead]]
    size = np.diff(lead, append=len(data))
    np.add.at(counts, (owner[lead], of_char), 1)
    counts[np.arange(texts), COUNTS.index("newlines")] -= 1  # the newline that pack() appended

    in_word = np.repeat(WORD_CLASS[of_char], size)
    begins = np.flatnonzero(in_word & ~np.concatenate([[False], in_word[:-1]]))
    ends = np.flatnonzero(in_word & ~np.concatenate([in_word[1:], [False]])) + 1
    alone = np.isin(of_char, ALONE)
    begins = np.concatenate([begins, lead[alone]])
    ends = np.concatenate([ends, lead[alone] + size[alone]])
    order = np.argsort(begins, kind="stable")
    begins, ends = begins[order], ends[order]

    word_owner = owner[begins]
    digits_before = np.concatenate([[0], np.cumsum(CLASS_OF_BYTE[data] == COUNTS.index("digits"))])
    for name, chosen in (
        ("words", np.ones(len(begins), bool)),
        ("long_words", ends - begins >= LONG_WORD_BYTES),
        ("numbers", digits_before[ends] - digits_before[begins] == ends - begins),
    ):
        counts[:, COUNTS.index(name)] = np.bincount(word_owner[chosen], minlength=texts)

    option = (data[:-2] == ord("\n")) & OPTION_LETTER[data[1:-1]] & np.isin(data[2:], [ord("."), ord(")")])
    counts[:, COUNTS.index("options")] = np.bincount(owner[:-2][option & (owner[:-2] == owner[2:])], minlength=texts)

    hashes = _word_hashes(FOLDED[data], begins, _stem_ends(data, lead, begins, ends))
    adjacent = np.flatnonzero(word_owner[1:] == word_owner[:-1])
    pairs = _mix(hashes[adjacent] * np.uint64(PAIR) + hashes[adjacent + 1])
    owners = np.concatenate([word_owner, word_owner[adjacent]])
    return owners, np.concatenate([hashes, pairs]), len(hashes), counts


def _stem_ends(
    data: npt.NDArray[np.uint8], lead: npt.NDArray[np.int64], begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return where each word's hashed part ends: after ``STEM_CHARACTERS`` where it has letters beyond ASCII."""
    beyond = np.concatenate([[0], np.cumsum(data >= 0x80)])
    first, after = np.searchsorted(lead, begins), np.searchsorted(lead, ends)
    stemmed = (beyond[ends] > beyond[begins]) & (after - first > STEM_CHARACTERS)
    out = ends.copy()
    out[stemmed] = lead[first[stemmed] + STEM_CHARACTERS]
    return out


def _word_hashes(
    folded: npt.NDArray[np.uint8], begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """Hash all words at once: a difference of prefix sums, shifted back by the inverse of the base."""
    powers = np.full(len(folded) + 1, BASE, np.uint64)
    powers[0] = 1
    np.multiply.accumulate(powers, out=powers)
    prefix = np.zeros(len(folded) + 1, np.uint64)
    np.cumsum(folded * powers[:-1], out=prefix[1:])
    inverses = np.full(len(folded) + 1, pow(BASE, -1, 1 << 64), np.uint64)
    inverses[0] = 1
    np.multiply.accumulate(inverses, out=inverses)
    return _mix((prefix[ends] - prefix[begins]) * inverses[begins])


def _mix(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return (hashes ^ (hashes >> np.uint64(32))) * np.uint64(MIX)
