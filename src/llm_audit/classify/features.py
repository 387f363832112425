"""Text to numbers: hashed words and word pairs looked up in an integer table, and counts of what a text is made of.

The hash is part of the weights, so it is defined here once and never changes under a given ``HASH_VERSION``. A word's
hash is the polynomial ``sum(byte[k] * BASE**k) mod 2**64`` over its bytes, with upper case folded and every digit read
as ``0``; of a word with letters beyond ASCII only the first ``STEM_CHARACTERS`` count, so that its inflected forms fall
together. A finaliser mixes the hash, and its top ``BUCKET_BITS`` bits are the row of the table. Words take the first
half of the rows and pairs the second, so that a pair never lands on a word's row. All arithmetic is on integers, so the
compiled kernel and the NumPy form below agree bit for bit, and neither depends on the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

try:
    from llm_audit.classify._kernel import scan as _scan_compiled
except ImportError:  # built where a C compiler is at hand; the NumPy form below gives the same integers
    COMPILED = False
else:
    COMPILED = True

HASH_VERSION: Final = 3
BUCKET_BITS: Final = 16
WORD_BUCKETS: Final = 1 << BUCKET_BITS
BUCKETS: Final = 2 * WORD_BUCKETS
BASE: Final = 0x9E3779B97F4A7C15
MIX: Final = 0xD6E8FEB86659FD93
PAIR: Final = 0xA0761D6478BD642F
HEAD_CHARS: Final = 2048
TAIL_CHARS: Final = 1024
LONG_WORD_BYTES: Final = 8
STEM_CHARACTERS: Final = 5

COUNTS: Final = (
    "lower",
    "upper",
    "digits",
    "spaces",
    "newlines",
    "full_stops",
    "commas",
    "question_marks",
    "operators",
    "brackets",
    "braces",
    "backslashes",
    "code_marks",
    "currency",
    "quotes",
    "other_ascii",
    "latin",  # letters of two bytes in Latin script
    "cyrillic",
    "arabic",
    "indic",  # of Devanagari to Thai
    "alphabetic",  # letters of other alphabets: Greek, Hebrew, Armenian, Georgian, Ethiopic, …
    "kana",  # with the punctuation of Chinese and Japanese
    "han",
    "hangul",
    "symbols",  # typographic marks, emoji and everything else beyond ASCII
    "words",
    "long_words",
    "numbers",
    "options",
    "features",  # distinct words and pairs: how many table rows were added
)
"""Names of the counts: characters by class, then words, words of 8 bytes or more, runs of digits, lines that
begin like an answer option (``B.`` or ``b)``), distinct features."""


def _classes() -> npt.NDArray[np.uint8]:
    """The class of a character by its first byte. Continuation bytes have the class 255."""
    table = np.full(256, COUNTS.index("other_ascii"), np.uint8)
    ascii_classes = {
        "lower": "abcdefghijklmnopqrstuvwxyz",
        "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "digits": "0123456789",
        "spaces": " \t\r\x0b\x0c",
        "newlines": "\n",
        "full_stops": ".!",
        "commas": ",;:",
        "question_marks": "?",
        "operators": "+-*/=<>^%|&~",
        "brackets": "()[]",
        "braces": "{}",
        "backslashes": "\\",
        "code_marks": "_`#@",
        "currency": "$",
        "quotes": "\"'",
    }
    for name, characters in ascii_classes.items():
        table[list(characters.encode())] = COUNTS.index(name)
    table[0x80:0xC0] = 255
    table[0xC0:] = COUNTS.index("symbols")
    table[0xC3:0xCA] = COUNTS.index("latin")
    table[0xCA:0xE2] = COUNTS.index("alphabetic")
    table[0xD0:0xD4] = COUNTS.index("cyrillic")
    table[0xD8:0xDC] = COUNTS.index("arabic")
    table[0xE0] = COUNTS.index("indic")
    table[0xE3] = COUNTS.index("kana")
    table[0xE4:0xEA] = COUNTS.index("han")
    table[0xEA:0xEE] = COUNTS.index("hangul")
    return table


CLASS_OF_BYTE: Final = _classes()
_WORD_CLASS: Final = np.isin(
    np.arange(256),
    [COUNTS.index(name) for name in ("lower", "upper", "digits", "latin", "cyrillic", "arabic", "indic", "alphabetic")],
)
_ALONE: Final = np.array([COUNTS.index(name) for name in ("kana", "han", "hangul")])


_OPTION_LETTER: Final = np.isin(np.arange(256), list(b"abcdefghijABCDEFGHIJ"))


def _folded() -> npt.NDArray[np.uint8]:
    table = np.arange(256, dtype=np.uint8)
    table[ord("A") : ord("Z") + 1] += 32
    table[ord("0") : ord("9") + 1] = ord("0")
    return table


FOLDED: Final = _folded()


def clip(text: str) -> str:
    """The part of a text that is judged: all of it, or its head and its tail."""
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text
    return f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"


def words(text: str) -> list[str]:
    """The words of a text as the hash sees them: case folded, digits read as 0, ideographs one by one."""
    out: list[str] = []
    inside = False
    for character in text:
        kind = CLASS_OF_BYTE[character.encode("utf-8", "replace")[0]]
        if kind in _ALONE:
            out.append(character)
            inside = False
        elif _WORD_CLASS[kind]:
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


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words and pairs that are known one by one, found by their full hash.

    ``keys`` are their hashes, ascending; ``evidence`` has a row for each and a column for each label.
    """

    keys: npt.NDArray[np.uint64]
    evidence: npt.NDArray[np.int16]


NO_LEXICON: Final = Lexicon(np.zeros(0, np.uint64), np.zeros((0, 0), np.int16))


@dataclass(frozen=True, slots=True)
class Scan:
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

    in_word = np.repeat(_WORD_CLASS[of_char], size)
    begins = np.flatnonzero(in_word & ~np.concatenate([[False], in_word[:-1]]))
    ends = np.flatnonzero(in_word & ~np.concatenate([in_word[1:], [False]])) + 1
    alone = np.isin(of_char, _ALONE)
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

    option = (data[:-2] == ord("\n")) & _OPTION_LETTER[data[1:-1]] & np.isin(data[2:], [ord("."), ord(")")])
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
