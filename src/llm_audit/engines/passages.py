"""What a text is known by when a later one holds it: the hash of its longest line.

A line and not a paragraph, since models write a paragraph on one line, and what is pasted keeps its lines while text
before and after it joins its first and last paragraph.
"""

from __future__ import annotations

import re

from llm_audit.engines.hashing import hash64

MIN_CHARS = 64
"""A shorter line may be equal by chance, as "Yes." and "Thank you." are."""
MAX_CHARS = 1 << 16
"""Only so much of a text is looked at."""

_RUN = re.compile(r"[ \t]{2,}|\t")


def longest_line(text: str) -> str:
    """The longest line of a text, the first of several."""
    return max(text.split("\n"), key=len)


try:
    from llm_audit.engines._lines import longest_line as _longest
except ImportError:  # built where a C compiler is at hand; the Python form gives the same answer
    _longest = longest_line


def passage_hash(text: str) -> int | None:
    """Hash the longest line of a text, with spaces and tabs in a row taken as one space and none around it.

    Returns:
        The hash; None where that line has fewer than ``MIN_CHARS`` characters.
    """
    if len(text) < MIN_CHARS:
        return None
    line = _longest(text[:MAX_CHARS]).strip()
    if "  " in line or "\t" in line:
        line = _RUN.sub(" ", line)
    return hash64(line) if len(line) >= MIN_CHARS else None
