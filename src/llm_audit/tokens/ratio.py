"""Tokenizers by model, and how their token counts of the same text relate."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

from llm_audit.model_names import canonical
from llm_audit.vocabulary import Category


class Kind(StrEnum):
    """A kind of text, as far as tokenizers tell kinds apart."""

    ENGLISH = "english"
    MATH = "math"
    CODE = "code"
    CHINESE = "chinese"


_KIND_OF_CATEGORY = {Category.CODE.value: Kind.CODE, Category.TOOL_USE.value: Kind.CODE, Category.MATH.value: Kind.MATH}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """A tokenizer.

    Attributes:
        name: Its own name; models with an equal one share it.
        encoding: The bundled encoding it is counted with.
        exact: The encoding is its own; else counts are estimates.
        ratios: Its tokens per o200k token of the same text, by ``Kind``.
        source: Where that is from.
    """

    name: str
    encoding: str
    exact: bool
    ratios: dict[str, float]
    source: str

    def ratio(self, kind: Kind = Kind.ENGLISH) -> float:
        """Its tokens per o200k token of the same text."""
        return self.ratios.get(kind, self.ratios.get(Kind.ENGLISH, 1.0))

    @property
    def scale(self) -> dict[str, float]:
        """What a count with ``encoding`` is multiplied by, by kind; empty where it needs no correction."""
        return {} if self.exact or self.encoding != "o200k_base" else self.ratios


@functools.cache
def tokenizer(model: str) -> Tokenizer:
    """The tokenizer of a model, by any of its names; ``unknown``, counted as o200k, where none is on record."""
    line = canonical(model)
    return next(known for pattern, known in _tokenizers() if pattern.match(line))


def tokenizer_ratio(model_from: str, model_to: str, category: str | None = None) -> float:
    """Tokens that ``model_to`` takes for one token of ``model_from`` on the same text.

    Args:
        model_from: The model whose tokens are known.
        model_to: The model whose tokens are wanted.
        category: Of ``ledger.schema.Category``; code and mathematics have ratios of their own.

    Returns:
        1.0 where both share a tokenizer. Sources: ``tokenizer(model).source``.
    """
    first, second = tokenizer(model_from), tokenizer(model_to)
    if first.name == second.name:
        return 1.0
    kind = _KIND_OF_CATEGORY.get(category or "", Kind.ENGLISH)
    return second.ratio(kind) / first.ratio(kind)


@functools.cache
def table_bytes() -> bytes:
    """The packaged table of tokenizers, for fingerprints."""
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
