"""Parts of the audit document that say what was asked: stakes and languages. See ``document`` for their conventions."""

from __future__ import annotations

import msgspec

from llm_audit.document.values import Amount, Count, Number


class StakesRow(msgspec.Struct, kw_only=True, frozen=True):
    """Requests by what a wrong answer could harm; those of all rows are the requests audited.

    ``held_requests`` would have another route without the policy's ``[stakes]``; ``further_saving`` is what the row's
    requests would save besides, at their expected cost, and ``further_lost_answers`` what they would lose.
    """

    stakes: str  # none, medical, legal, financial, security, destructive
    requests: Count
    cost: Amount | None
    moved_requests: Count
    held_requests: Count
    further_saving: Amount
    further_lost_answers: Number
    unpriced_requests: Count | None = None  # not in the cost; None in documents of versions before 2.4


class Stakes(msgspec.Struct, kw_only=True, frozen=True):
    """Sums of the rows, which come with most cost first. Requests without stakes are held where they share a trace."""

    held_requests: Count
    further_saving: Amount
    further_lost_answers: Number
    rows: list[StakesRow]


class LanguageRow(msgspec.Struct, kw_only=True, frozen=True):
    """Requests by the language of what they ask, and those that were not judged, for whatever reason."""

    language: str | None  # ISO 639-1, or the name of a script; None where the text shows none or the log has no text
    requests: Count
    cost: Amount | None
    abstained_requests: Count
    abstained_cost: Amount | None
    unpriced_requests: Count | None = None  # not in the cost; None in documents of versions before 2.4
