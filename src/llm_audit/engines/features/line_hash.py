"""Hash the longest line of a text, so that a later text that quotes it can be recognised.

A line is hashed and not a paragraph, since models write a paragraph on one line, and pasted text keeps its lines while
text before and after it joins its first and last paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from llm_audit.engines.features.hashing import hash64

MIN_CHARS = 64
"""Shorter lines are often equal by chance, such as "Yes." and "Thank you."."""
MAX_CHARS = 1 << 16
"""The part of a text that is searched."""

_RUN = re.compile(r"[ \t]{2,}|\t")


def line_hash(text: str) -> int | None:
    """Hash the longest line of a text, the first of several, with runs of spaces and tabs as one space, none around it.

    Returns:
        The hash; None where the line has fewer than ``MIN_CHARS`` characters.
    """
    if len(text) < MIN_CHARS:
        return None
    line = max(text[:MAX_CHARS].split("\n"), key=len).strip()
    if "  " in line or "\t" in line:
        line = _RUN.sub(" ", line)
    return hash64(line) if len(line) >= MIN_CHARS else None


longest_line_hash: Callable[[str], int | None]
try:
    from llm_audit.engines._texts import line_hash as longest_line_hash
except ImportError:  # built only where a C compiler is available; the Python form returns the same
    longest_line_hash = line_hash
