"""Names that try to be more than names, and documents that have them in every field."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import polars as pl
from tests.report import build, compared, frames

from llm_audit.document.audit import Document
from llm_audit.document.comparison import CheckResult
from llm_audit.report.interface import Frames

CORPUS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style><svg onload=alert(1)>",
    "javascript:alert(1)",
    "[bold red]x[/bold red]",
    "[link=https://evil.example]x[/link]",
    "\x1b[31mred\x1b]0;title\x07",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "| a | b |\n|---|---|",
    "```\nfence",
    "`tick` ``two``",
    "![x](https://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "https://evil.example www.evil.example",
    "@octocat #1 <!-- x -->",
    "</details>",
    "::error file=a::pwned",
    "\n::set-output name=x::y\r\n::error::z",
    "%0A::error::z",
    '{"a":"</script>"}',
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "]]><!CDATA[",
    "&lt;&amp;&#60;",
    "\u202egpj.exe\u2066\u200b",
    "a\x00b\x7f\x85\u2028",
    "a\"b'c\\d\\",
    "# HELP x y\n# EOF",
    "e\u0301" + "\u0321" * 40,
    "日本語モデル",
)


NAMES = frozenset(
    {
        "provider", "model", "name", "subject", "path", "file", "title", "detail", "action", "from", "to", "reason",
        "message", "matched", "source", "assumption", "team", "app", "command", "format", "low_value", "high_value",
        "check", "toml", "label", "group", "rule", "notes", "metric", "warnings", "ladders", "assumptions",
        "template", "costlier", "cheaper", "router", "fallback",
    }
)  # fmt: skip
MAPPINGS = frozenset({"groups", "ladders", "assumptions"})


def renamed(value: Any, rename: Callable[[str], str], field: str = "") -> Any:
    """The same document or result with every name in it changed, those that are keys of a mapping too."""
    if isinstance(value, msgspec.Struct):
        return msgspec.convert(renamed(msgspec.to_builtins(value), rename), type(value))
    if isinstance(value, dict):
        keyed = field in MAPPINGS
        return {
            rename(key) if keyed else key: renamed(item, rename, field if keyed else key) for key, item in value.items()
        }
    if isinstance(value, list):
        return [renamed(item, rename, field if isinstance(item, str) else "") for item in value]
    return rename(value) if isinstance(value, str) and field in NAMES else value


def cycled(offset: int = 0) -> Document:
    """A document with the corpus going round over all its names."""
    numbers = count(offset)
    return renamed(build.rich(4), lambda name: CORPUS[next(numbers) % len(CORPUS)] + name)


def check() -> CheckResult:
    numbers = count()
    return renamed(compared.check(), lambda name: CORPUS[next(numbers) % len(CORPUS)] + name)


def long() -> Document:
    """A document with a name of a megabyte here and there."""
    numbers = count()
    return renamed(build.rich(4), lambda name: name + "<b>&" * 250_000 if next(numbers) % 97 == 0 else name)


def rows() -> Frames:
    """Rows with the corpus as models, teams and apps."""
    frame = frames.frames(build.calls(1)).requests
    names = pl.Series([CORPUS[i % len(CORPUS)] for i in range(frame.height)])
    hostile = frame.with_columns(model=names, team=names, app=names.reverse())
    return Frames(make=lambda: hostile)
