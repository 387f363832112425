"""Terms of a finding: whose requests it moves, at what effort, and what would have to be true for its saving."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from llm_audit.audit.findings.groups import Owned
from llm_audit.audit.sections.tables.cells import mean, share
from llm_audit.document.audit import Owner

_OWNERS = 10


def owners(owned: Sequence[Owned]) -> list[Owner]:
    """Return the teams' apps whose requests move, with their shares of what these cost."""
    whole = sum(each.cost_pico for each in owned)
    return [Owner(team=each.team, app=each.app, share=share(each.cost_pico, whole)) for each in owned]


def shown(owners: Sequence[Owner]) -> tuple[list[Owner], int]:
    """Return the largest owners, and the number of the others."""
    return list(owners[:_OWNERS]), max(0, len(owners) - _OWNERS)


def effort(owners: Sequence[Owner], moves: int) -> str:
    """Return the effort of so many moves of the owners: low, medium or high, see ``Finding``."""
    if len({owner.team for owner in owners}) > 1:
        return "high"
    return "low" if len(owners) == 1 and moves == 1 else "medium"


def condition(moved: Mapping[str, int], repeat_pico: int, pairs: Sequence[tuple[str, str]], *, verdicts: bool) -> str:
    """Return what would have to be true for the finding to save anything.

    Its saving is gone once the answers repeated on the model used cost what is saved without any repeat: at the share
    (saving + repeats expected) / repeats of all answers, by cost.

    Args:
        moved: Sums of the requests that move, see ``Group.moved``.
        repeat_pico: What repeating all of them on the model used would cost.
        pairs: Models used and their routes.
        verdicts: Whether abilities are those of a calibration by verdicts.
    """
    route = pairs[0][1] if len(pairs) == 1 else "the cheaper models"
    used = pairs[0][0] if len({name for name, _ in pairs}) == 1 else "the models used"
    source = "your verdicts say" if verdicts else "published scores say"
    p = mean(moved["p_nano"], moved["moved"])
    said = "" if p is None else f" (P(suffices) {p:.2f})"
    first = f"The answers of {route} to these requests hold up as {source}{said}"
    escalated = moved["escalation_pico"]
    if not repeat_pico:
        return f"{first}."
    limit = (moved["saved_pico"] + escalated) / repeat_pico
    expected = f"{escalated / repeat_pico:.1%} expected"
    if limit >= 1:
        return f"{first}; it saves even if every answer is repeated on {used} ({expected})."
    return f"{first}, and fewer than {math.floor(limit * 1000) / 10:.1f}% of them are repeated on {used} ({expected})."
