"""Selection of the prompts to try on the small model that teach most in few trials."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from llm_audit.classify.irt import p_loses
from llm_audit.classify.model import Judgement

Array = npt.NDArray[np.float64]
BANDS: Final = 10


class Pick(msgspec.Struct, frozen=True):
    """A prompt to try: its row, how much it tells, and what is expected of it."""

    row: int
    information: float
    suffices: float


def sample(
    judged: Judgement, number: int, *, small_ability: Array, used_ability: Array, weight: Array | None = None
) -> list[Pick]:
    """Choose the most informative prompts, spread over categories and difficulties.

    A trial tells ``p (1 - p)`` about whether the small model loses, times the prompt's weight. Prompts are put into
    bands of category and difficulty; each band in turn, the most informative first, gives its best prompt, so that no
    kind of traffic is left out.

    Args:
        judged: Judgement of the candidate prompts, each once; abstained ones are never chosen.
        number: How many to choose; fewer are returned where there are fewer.
        small_ability: Abilities by ``Category`` of the model to try.
        used_ability: The same of the model in use.
        weight: What a prompt stands for, such as its dollars; one each where ``None``.

    Returns:
        Picks, in the order of choice.
    """
    rows = np.flatnonzero(judged.abstention == 0)
    category = judged.category[rows].astype(np.int64)
    difficulty = judged.difficulty[rows].astype(np.float64)
    loses = p_loses(small_ability[category], used_ability[category], difficulty)
    counts = np.ones(len(rows)) if weight is None else weight[rows]
    information = np.nan_to_num(loses * (1 - loses)) * counts
    rank = np.argsort(np.argsort(difficulty, kind="stable"), kind="stable")
    band = category * BANDS + rank * BANDS // max(len(rows), 1)
    order = np.lexsort((rows, -information, band))
    starts = np.flatnonzero(np.diff(band[order], prepend=-1))
    turn = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    chosen = order[np.lexsort((rows[order], -information[order], turn))][:number]
    return [Pick(int(rows[i]), float(information[i]), float(1 - loses[i])) for i in chosen]
