"""The sentence on what a policy's stricter limits cost where a wrong answer could do harm."""

from __future__ import annotations

from decimal import Decimal

from llm_audit.document.audit import Document
from llm_audit.report.answers import number_of
from llm_audit.report.text import money, plural


def stakes(document: Document) -> str:
    """Say how many requests limits for stakes hold, and the saving and the lost answers that this forgoes and avoids.

    "" where they hold none.
    """
    found = document.stakes
    if found is None or not found.held_requests:
        return ""
    saving, lost = Decimal(found.further_saving), found.further_lost_answers
    effects = [f"forgoes {money(found.further_saving, currency=document.currency)}"] if saving > 0 else []
    effects += [f"avoids {number_of(lost)} lost answer{'' if number_of(lost) == '1' else 's'}"] if lost > 0 else []
    whose = "its model" if found.held_requests == 1 else "their models"
    text = (
        f"Where a wrong answer could do harm, stricter limits keep {plural(found.held_requests, 'request')} on {whose}"
    )
    return f"{text}, which {' and '.join(effects)}." if effects else f"{text}."
