"""Difficulty, category and stakes of a prompt from its text: would a smaller model have sufficed?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_audit.classify.model import Classifier, Judgement

__all__ = ["Classifier", "Judgement"]


def __getattr__(name: str) -> Any:
    """Import on first use, so that who asks only what ability and difficulty say of success loads no classifier."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from llm_audit.classify import model

    return getattr(model, name)
