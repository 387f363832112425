"""Characters by class: what the parts of a text are counted as, and what belongs to a word."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

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
"""By first byte, the place in ``COUNTS`` of a character's class; 255 for continuation bytes."""
WORD_CLASS: Final = np.isin(
    np.arange(256),
    [COUNTS.index(name) for name in ("lower", "upper", "digits", "latin", "cyrillic", "arabic", "indic", "alphabetic")],
)
"""By class, whether a character belongs to a word."""
ALONE: Final = np.array([COUNTS.index(name) for name in ("kana", "han", "hangul")])
"""Classes whose characters are words one by one."""
OPTION_LETTER: Final = np.isin(np.arange(256), list(b"abcdefghijABCDEFGHIJ"))
"""By byte, whether it may name an answer option."""


def _folded() -> npt.NDArray[np.uint8]:
    table = np.arange(256, dtype=np.uint8)
    table[ord("A") : ord("Z") + 1] += 32
    table[ord("0") : ord("9") + 1] = ord("0")
    return table


FOLDED: Final = _folded()
"""By byte, what the hash reads: upper case as lower, every digit as ``0``."""
