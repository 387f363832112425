"""The candidates of each model used: of the policy's ladders, or of the catalog's, undominated and on offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from llm_audit.arrays import Bools, Flags, Floats, Index, Ints
from llm_audit.errors import UsageError
from llm_audit.policy.file.model import Policy
from llm_audit.policy.inputs.models import NONE, NOTICE_DAYS, STILL_OFFERED, Models

_BLOCK = 64
"""Models that are compared with all others at once."""


def ladder_rows(
    policy: Policy, models: Models, ladders: Mapping[str, Sequence[str]], *, period: tuple[int, int] | None
) -> Index:
    """Return the candidates of each model used, as indexes in ladder order.

    The catalog's ladders hold every model a family ever offered. Those not on offer in the period are left out, and so
    are those that another, on offer throughout, beats: no more expensive, as able in every category and as capable.

    Args:
        policy: Its own ladders come first; one named ``any`` serves every model that is in no other.
        models: The catalog.
        ladders: The catalog's ladders, models cheapest first, by family.
        period: First and last day of the requests, in days since 1970; None where none has a time: then the latest.

    Returns:
        A row a model used, ``NONE`` after the ladder's last; all ``NONE`` where the model has no ladder.

    Raises:
        UsageError: The policy's ladder names a model that the catalog does not know.
    """
    index = models.index()
    if policy.ladders:
        chosen = _own(policy.ladders, index)
    else:
        steps = {
            family: _undominated(models, [index[model] for model in ladder if model in index], period)
            for family, ladder in ladders.items()
        }
        if policy.across_families:
            every = sorted({step for ladder in steps.values() for step in ladder})
            chosen = dict.fromkeys(range(len(models.ids)), _undominated(models, every, period))
        else:
            chosen = _by_family(models, ladders, steps, index)
    width = max((len(ladder) for ladder in chosen.values()), default=1)
    rows = np.full((len(models.ids), width), NONE, dtype=np.int32)
    for used, ladder in chosen.items():
        rows[used, : len(ladder)] = ladder
    return rows


def undominated(models: Models, ladder: Sequence[str], *, day: int) -> list[str]:
    """Return the models of a ladder that are on offer on a day, stay for a while, and are dominated by no other."""
    index = models.index()
    return [models.ids[step] for step in _undominated(models, [index[model] for model in ladder], (day, day))]


def dominators(models: Models, ladder: Sequence[str], *, day: int) -> dict[str, list[str]]:
    """Return the models of a ladder that are on offer on a day, each with those that dominate it."""
    index = models.index()
    offered, lasting = _offered(models, [index[model] for model in ladder], (day, day))
    found = zip(offered, _dominating(models, offered, lasting), strict=True)
    return {models.ids[step]: [models.ids[other] for other in others] for step, others in found}


def candidates_of(
    policy: Policy, models: Models, ladders: Mapping[str, Sequence[str]], *, used: str, day: int
) -> list[str]:
    """Return the models that a policy could choose from on a day instead of ``used``, cheapest first, and that one.

    Args:
        policy: The policy.
        models: The catalog.
        ladders: The catalog's ladders.
        used: The canonical id of the model in use.
        day: Days since 1970.
    """
    at = models.index()[used]
    steps = ladder_rows(policy, models, ladders, period=(day, day))[at]
    cheaper = [step for step in steps.tolist() if step != NONE and models.price[step] < models.price[at]]
    return [models.ids[step] for step in [*sorted(cheaper, key=lambda step: float(models.price[step])), at]]


def _own(ladders: dict[str, tuple[str, ...]], index: dict[str, int]) -> dict[int, list[int]]:
    chosen: dict[int, list[int]] = {}
    for name, ladder in ladders.items():
        unknown = [model for model in ladder if model not in index]
        if unknown:
            raise UsageError(
                f"The policy's ladder {name!r} names {unknown[0]!r}, which the catalog does not know. "
                "`llm-audit models` lists the known ones; add an alias for a name of your own."
            )
        for model in ladder:
            chosen.setdefault(index[model], [index[step] for step in ladder])
    if "any" in ladders:
        for used in index.values():
            chosen.setdefault(used, [index[step] for step in ladders["any"]])
    return chosen


def _by_family(
    models: Models, ladders: Mapping[str, Sequence[str]], steps: Mapping[str, list[int]], index: dict[str, int]
) -> dict[int, list[int]]:
    """Return the ladder that names the model, or else the one of its family or developer."""
    chosen: dict[int, list[int]] = {}
    by_family: dict[str, list[int]] = {}
    by_developer: dict[str, list[int]] = {}
    for name, ladder in ladders.items():
        for model in ladder:
            step = index[model]
            chosen.setdefault(step, steps[name])
            by_family.setdefault(models.family[step], steps[name])
            by_developer.setdefault(models.developer[step], steps[name])
    for used in index.values():
        relatives = by_family.get(models.family[used]) or by_developer.get(models.developer[used])
        if relatives and models.developer[used]:
            chosen.setdefault(used, relatives)
    return chosen


def _undominated(models: Models, steps: list[int], period: tuple[int, int] | None) -> list[int]:
    offered, lasting = _offered(models, steps, period)
    return [step for step, others in zip(offered, _dominating(models, offered, lasting), strict=True) if not others]


def _offered(models: Models, steps: list[int], period: tuple[int, int] | None) -> tuple[list[int], list[int]]:
    """Return the steps on offer at some time of the period, and those on offer throughout."""
    if period is None:
        latest = [step for step in steps if models.retired[step] == STILL_OFFERED]
        return latest, latest
    first, last = period
    offered = [step for step in steps if models.released[step] <= last and models.retired[step] > first]
    return offered, [
        step for step in offered if models.released[step] <= first and int(models.retired[step]) - NOTICE_DAYS > last
    ]


def _dominating(models: Models, offered: list[int], lasting: list[int]) -> Iterator[list[int]]:
    """Yield those of ``lasting`` that dominate each of the models on offer."""
    others, place = np.array(lasting, dtype=np.int64), {step: offered.index(step) for step in offered}
    order = np.array([place[other] for other in lasting], dtype=np.int64)
    for start in range(0, len(offered), _BLOCK):
        steps = offered[start : start + _BLOCK]
        earlier = order < np.array([place[step] for step in steps])[:, None]
        for found in _dominates(models, others, np.array(steps)[:, None], earlier=earlier):
            yield others[found].tolist()


def _dominates(models: Models, other: Ints, step: Ints, *, earlier: Bools) -> Bools:
    """Return whether ``other`` costs no more, is measured to be as able everywhere, and can do all ``step`` can.

    Of equals the earlier one does.
    """

    def matches(values: Floats | Flags | Bools) -> Bools:
        return np.asarray(values[other] >= values[step])

    able = matches(models.ability).all(axis=-1) & matches(models.measured).all(axis=-1)
    dear = models.price[other] > models.price[step]
    same = (models.price[other] == models.price[step]) & (models.ability[other] == models.ability[step]).all(axis=-1)
    capable = np.all([matches(flags) for flags in models.capability.values()], axis=0)
    cramped = (models.context_window[other] < models.context_window[step]) | (
        models.max_output[other] < models.max_output[step]
    )
    return np.asarray(able & ~dear & capable & ~cramped & (earlier | ~same) & (other != step))
