"""Parts of the audit document that say what was asked: stakes and languages. See ``document`` for their conventions."""

from __future__ import annotations

import msgspec


class StakesRow(msgspec.Struct, kw_only=True, frozen=True):
    """Requests by what a wrong answer could harm; those of all rows are the requests audited.

    ``held_requests`` would have another route without the policy's ``[stakes]``; ``further_saving`` is what the row's
    requests would save besides, at their expected cost, and ``further_lost_answers`` what they would lose.
    """

    stakes: str  # none, medical, legal, financial, security, destructive
    requests: int
    cost: str | None
    moved_requests: int
    held_requests: int
    further_saving: str
    further_lost_answers: float


class Stakes(msgspec.Struct, kw_only=True, frozen=True):
    """Sums of the rows, which come with most cost first. Requests without stakes are held where they share a trace."""

    held_requests: int
    further_saving: str
    further_lost_answers: float
    rows: list[StakesRow]


class LanguageRow(msgspec.Struct, kw_only=True, frozen=True):
    """Requests by the language of what they ask, and those that were not judged, for whatever reason."""

    language: str | None  # ISO 639-1, or the name of a script; None where the text shows none or the log has no text
    requests: int
    cost: str | None
    abstained_requests: int
    abstained_cost: str | None
