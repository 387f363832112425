"""Names that try to be more than names, and documents that have them in every field."""

from __future__ import annotations

from itertools import count

import polars as pl
from tests.report import build, frames

from llm_audit.audit.compare_result import CheckResult
from llm_audit.audit.document import Document
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
    'a"b\'c\\d\\',
    "# HELP x y\n# EOF",
    "e\u0301" + "\u0321" * 40,
    "日本語モデル",
)


def cycled(offset: int = 0) -> Document:
    """A document with the corpus going round over all its names."""
    numbers = count(offset)
    return build.renamed(build.rich(4), lambda name: CORPUS[next(numbers) % len(CORPUS)] + name)


def check() -> CheckResult:
    numbers = count()
    return build.renamed(build.check(), lambda name: CORPUS[next(numbers) % len(CORPUS)] + name)


def long() -> Document:
    """A document with a name of a megabyte here and there."""
    numbers = count()
    return build.renamed(build.rich(4), lambda name: name + "<b>&" * 250_000 if next(numbers) % 97 == 0 else name)


def rows() -> Frames:
    """Rows with the corpus as models, teams and apps."""
    frame = frames.frames(build.calls(1)).requests
    names = pl.Series([CORPUS[i % len(CORPUS)] for i in range(frame.height)])
    return Frames(requests=frame.with_columns(model=names, team=names, app=names.reverse()))
