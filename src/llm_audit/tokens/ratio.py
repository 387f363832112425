"""Tokenizers by model, and the ratios of their token counts of the same text."""

from __future__ import annotations

import functools
import re
import tomllib
from enum import StrEnum
from importlib import resources

import msgspec

from llm_audit.model_names import canonical
from llm_audit.vocabulary import Category


class TextKind(StrEnum):
    """A kind of text with a token ratio of its own."""

    ENGLISH = "english"
    MATH = "math"
    CODE = "code"
    CHINESE = "chinese"


_CATEGORY_KINDS = {
    Category.CODE.value: TextKind.CODE,
    Category.TOOL_USE.value: TextKind.CODE,
    Category.MATH.value: TextKind.MATH,
}


class Tokenizer(msgspec.Struct, kw_only=True, frozen=True):
    """A tokenizer.

    Attributes:
        name: Its name; models with the same name share it.
        encoding: The bundled encoding that counts its tokens.
        exact: Whether the encoding is the tokenizer's own; else counts are estimates.
        ratios: Its tokens per o200k token of the same text, by ``TextKind``.
        source: The source of the ratios.
    """

    name: str
    encoding: str
    exact: bool
    ratios: dict[str, float]
    source: str

    def ratio(self, kind: TextKind = TextKind.ENGLISH) -> float:
        """Return its tokens per o200k token of the same text."""
        return self.ratios.get(kind, self.ratios.get(TextKind.ENGLISH, 1.0))

    @property
    def scale(self) -> dict[str, float]:
        """The factors by which counts with ``encoding`` are multiplied, by kind; empty where none is needed."""
        return {} if self.exact or self.encoding != "o200k_base" else self.ratios


@functools.cache
def tokenizer(model: str) -> Tokenizer:
    """Return the tokenizer of a model, by any of its names; ``unknown``, counted as o200k, where none is listed."""
    line = canonical(model)
    return next(known for pattern, known in _tokenizers() if pattern.match(line))


def tokenizer_ratio(model_from: str, model_to: str, category: str | None = None) -> float:
    """Return the tokens of ``model_to`` for one token of ``model_from`` on the same text.

    Args:
        model_from: The model whose tokens are known.
        model_to: The model whose tokens are wanted.
        category: A ``vocabulary.Category``; code and mathematics have ratios of their own.

    Returns:
        1.0 where both share a tokenizer. Sources: ``tokenizer(model).source``.
    """
    first, second = tokenizer(model_from), tokenizer(model_to)
    if first.name == second.name:
        return 1.0
    kind = _CATEGORY_KINDS.get(category or "", TextKind.ENGLISH)
    return second.ratio(kind) / first.ratio(kind)


@functools.cache
def table_bytes() -> bytes:
    """Return the packaged table of tokenizers, for fingerprints."""
    return resources.files("llm_audit.tokens").joinpath("tokenizers.toml").read_bytes()


@functools.cache
def _tokenizers() -> list[tuple[re.Pattern[str], Tokenizer]]:
    entries = tomllib.loads(table_bytes().decode())["tokenizer"]
    return [
        (
            re.compile("|".join(entry["models"])),
            Tokenizer(
                name=entry["name"],
                encoding=entry["encoding"],
                exact=entry.get("exact", False),
                ratios=entry.get("ratios", {}),
                source=entry["source"],
            ),
        )
        for entry in entries
    ]
