"""The short way to the ask with few words and small sizes of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llm_audit.classify.text import words


def short_way() -> Callable[..., Any]:
    """Return it."""
    plan = words.ask_plan(
        words.AskWords(
            (("title",), ("chat",)),
            ("b",),
            ("re", "please "),
            ("rework",),
            ("please ",),
            ("why",),
            ("ok",),
            ("fix",),
            ("plan",),
            ("question",),
            ("input",),
        ),
        words.AskSizes(20, 8, 60, 30, 10),
    )
    return words.plain_ask(plan)
