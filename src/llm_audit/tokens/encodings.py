"""Load OpenAI's encodings from bundled rank tables, so that nothing is downloaded.

The rank tables and split patterns define the encodings ``o200k_base`` and ``cl100k_base``; they are those of tiktoken
(MIT, Copyright (c) 2022 OpenAI, Shantanu Jain), repacked by ``scripts/build_ranks.py``. ``o200k_harmony`` differs from
``o200k_base`` in special tokens only.
"""

from __future__ import annotations

import functools
import hashlib
import lzma
from importlib import resources
from typing import TYPE_CHECKING

from llm_audit.errors import AuditError, ExitCode

if TYPE_CHECKING:
    import tiktoken

CHUNK_CHARS = 20_000
"""Text is encoded in chunks of this many characters: a run of a million spaces makes the splitter give up."""

BYTES_PER_TOKEN = 3.9
"""Mean bytes of an o200k token over prose, code, JSON and Chinese, for text the encoder cannot take."""

_PACKED_SHA256 = {
    "o200k_base": "bac143fe7fe950090c6e4ed9a2f80de5412a92495758b52becbbe5a7eea25ecb",
    "cl100k_base": "6bfd43f7b31b50b645b3228413547e662af1ae4801e9b192b9791680a71d650c",
}
_PATTERNS = {
    "o200k_base": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "cl100k_base": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|"
        r"\s*[\r\n]|\s+(?!\S)|\s"
    ),
}


class RankTableError(AuditError):
    """The installation is damaged: a bundled rank table is not the one this version was built with."""

    exit_code = ExitCode.INTERNAL


@functools.cache
def encoding(name: str) -> tiktoken.Encoding:
    """Load an encoding, ``o200k_base`` or ``cl100k_base``, without special tokens.

    Raises:
        RankTableError: The bundled table's digest is not the expected one.
    """
    import tiktoken

    return tiktoken.Encoding(name, pat_str=_PATTERNS[name], mergeable_ranks=ranks(name), special_tokens={})


def ranks(name: str) -> dict[bytes, int]:
    """Return the rank of each token of an encoding.

    Raises:
        RankTableError: The bundled table's digest is not the expected one.
    """
    file = resources.files("llm_audit.tokens").joinpath("ranks", f"{name}.xz")
    packed = lzma.decompress(file.read_bytes())
    if hashlib.sha256(packed).hexdigest() != _PACKED_SHA256[name]:
        raise RankTableError(f"The rank table {file} is damaged. Install llm-audit again.")
    table: dict[bytes, int] = {}
    position = 0
    while position < len(packed):
        start = position + 1
        position = start + packed[position]
        table[packed[start:position]] = len(table)
    return table


def encoded_length(text: str, name: str) -> int:
    """Return the number of tokens of a text, counted in chunks so that the time is linear in its length."""
    encoder = encoding(name)
    chunks = (text[start : start + CHUNK_CHARS] for start in range(0, len(text), CHUNK_CHARS))
    return sum(_length(chunk, encoder) for chunk in chunks)


def _length(chunk: str, encoder: tiktoken.Encoding) -> int:
    try:
        return len(encoder.encode_ordinary(chunk))
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # raised by the encoder, and not an Exception
            raise
        return round(len(chunk.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)
