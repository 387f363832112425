"""Verdicts on a smaller model's answers (win, tie, loss) narrow what the catalogue and the classifier believe.

By the item-response model, the smaller model loses where the model used succeeds and it fails, wins where it succeeds
and the other fails, and ties elsewhere. Verdicts therefore say two things: wins against losses, how far the two
abilities are apart; ties against the rest, how hard the prompts are for both. Abilities of both models by category, and
difficulties of all prompts, of each category and of each template, get normal priors at the present belief. The
posterior is their maximum with the curvature there (Laplace's approximation), found by Fisher scoring.

With few verdicts everything stays near the belief; a template with a few hundred overrules it. Since judges err, each
verdict is taken to be random with probability ``SLIP``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from llm_audit.classify.irt import p_loses
from llm_audit.classify.learning.posterior import COMMON, Posterior, ability_name, category_name, template_name
from llm_audit.errors import UsageError

Array = npt.NDArray[np.float64]
FEWEST: Final = 20
FEWEST_OF_TEMPLATE: Final = 10
"""Verdicts from which a template gets a difficulty of its own."""

TEMPLATE_SD: Final = 0.75
"""Prior standard deviation, in logits, of what the difficulties of one template share."""

SLIP: Final = 0.03
FOLDS: Final = 5
_STEP: Final = 0.01
_ROUNDS: Final = 25
_HALVINGS: Final = 12


class Verdict(StrEnum):
    """A verdict on the smaller model's answer beside that of the model used."""

    WIN = "win"
    TIE = "tie"
    LOSS = "loss"


_CODES: Final = list(Verdict)


class Judged(msgspec.Struct, kw_only=True, frozen=True):
    """One verdict, with the present belief about the request.

    ``used`` and ``small`` are the models, each with the category whose ability counts; ``used_ability`` and
    ``small_ability`` are these abilities. ``template`` is None where the log has no system prompt and no tools.
    """

    verdict: Verdict
    used: tuple[str, str]
    small: tuple[str, str]
    used_ability: float
    small_ability: float
    category: str
    template: int | None
    difficulty: float


class Priors(msgspec.Struct, kw_only=True, frozen=True):
    """Standard deviations of the present belief.

    ``ability`` is by ``posterior.ability_name``; the difficulties' are those of the policy's assumptions.
    """

    ability: Mapping[str, float]
    difficulty_common_sd: float
    difficulty_sd: float
    template_sd: float = TEMPLATE_SD


class _Data(msgspec.Struct, frozen=True):
    """Verdicts as arrays: the probabilities of wins, ties and losses depend on two margins by verdict.

    ``small`` and ``used`` are the margins of ability over difficulty; ``of_small`` and ``of_used`` (verdicts x
    parameters) are what a parameter adds to them. ``seen`` (verdicts x 3) marks the verdict.
    """

    small: Array
    used: Array
    of_small: Array
    of_used: Array
    seen: Array

    def chances(self, added: Array) -> tuple[Array, Array, Array]:
        """Return P(win, tie, loss), verdicts x 3, and its slopes by the two margins."""
        small, used = self.small + self.of_small @ added, self.used + self.of_used @ added
        by_small = (_chances(small + _STEP, used) - _chances(small - _STEP, used)) / (2 * _STEP)
        by_used = (_chances(small, used + _STEP) - _chances(small, used - _STEP)) / (2 * _STEP)
        return _chances(small, used), by_small, by_used

    def score(self, added: Array, precision: Array) -> float:
        """Return the logarithm of the posterior's density, up to a constant."""
        p = _chances(self.small + self.of_small @ added, self.used + self.of_used @ added)
        return float((self.seen * np.log(p)).sum() - 0.5 * (precision * added**2).sum())

    def step(self, added: Array, precision: Array) -> tuple[Array, Array]:
        """Return the gradient of the score and the expected information."""
        p, by_small, by_used = self.chances(added)
        ratio = self.seen / p
        gradient = self.of_small.T @ (ratio * by_small).sum(axis=1) + self.of_used.T @ (ratio * by_used).sum(axis=1)
        own, other = (by_small**2 / p).sum(axis=1), (by_used**2 / p).sum(axis=1)
        cross = self.of_small.T @ ((by_small * by_used / p).sum(axis=1)[:, None] * self.of_used)
        information = self.of_small.T @ (own[:, None] * self.of_small) + self.of_used.T @ (
            other[:, None] * self.of_used
        )
        return gradient - precision * added, information + cross + cross.T + np.diag(precision)


def fit(judged: Sequence[Judged], priors: Priors) -> Posterior:
    """Work out what verdicts say about abilities and difficulties.

    Args:
        judged: The verdicts, in an order that does not depend on their file.
        priors: The present belief.

    """
    templates = [one.template for one in judged if one.template is not None]
    often = {template for template in templates if templates.count(template) >= FEWEST_OF_TEMPLATE}
    parts = [_parameters(one, often) for one in judged]
    names = sorted({name for part in parts for name in part})
    place = {name: at for at, name in enumerate(names)}
    data = _arrays(judged, parts, place)
    precision = np.array([_prior_sd(name, priors) for name in names]) ** -2.0
    added = np.zeros(len(names))
    for _ in range(_ROUNDS):
        gradient, information = data.step(added, precision)
        move = np.linalg.solve(information, gradient)
        score = data.score(added, precision)
        for _ in range(_HALVINGS):
            if data.score(added + move, precision) >= score:
                break
            move = move / 2
        added = added + move
        if np.abs(move).max() < 1e-9:
            break
    _, information = data.step(added, precision)
    return Posterior(
        names=tuple(names),
        mean=added,
        factor=np.linalg.cholesky(np.linalg.inv(information)),
        verdicts=tuple(sum(name in part for part in parts) for name in names),
        template_sd=priors.template_sd,
    )


def chances(judged: Sequence[Judged], posterior: Posterior | None = None) -> Array:
    """Return P(win), P(tie) and P(loss) of each request, verdicts x 3, before or after what verdicts say."""
    known = {} if posterior is None else dict(zip(posterior.names, posterior.mean.tolist(), strict=True))
    margins = np.empty((len(judged), 2))
    for at, one in enumerate(judged):
        added = {name: known.get(name, 0.0) for name in _parameters(one, {one.template})}
        small, used = added.pop(ability_name(*one.small)), added.pop(ability_name(*one.used))
        difficulty = one.difficulty + sum(added.values())
        margins[at] = one.small_ability + small - difficulty, one.used_ability + used - difficulty
    return _chances(margins[:, 0], margins[:, 1])


def cross_validated(judged: Sequence[Judged], priors: Priors) -> tuple[float, float]:
    """Return the mean log loss of verdicts as believed, and after a fit to the other folds.

    Raises:
        UsageError: There are too few verdicts.
    """
    if len(judged) < FEWEST:
        raise UsageError(f"{len(judged)} verdicts can be used; calibrate needs at least {FEWEST}, better a hundred.")
    after = np.empty((len(judged), len(_CODES)))
    for fold in range(FOLDS):
        out = [at for at in range(len(judged)) if at % FOLDS == fold]
        rest = [one for at, one in enumerate(judged) if at % FOLDS != fold]
        after[out] = chances([judged[at] for at in out], fit(rest, priors))
    return log_loss(judged, chances(judged)), log_loss(judged, after)


def log_loss(judged: Sequence[Judged], p: Array) -> float:
    """Return the mean log loss of probabilities of win, tie and loss."""
    return float(-np.log((_marks(judged) * p).sum(axis=1)).mean())


def _parameters(one: Judged, templates: set[int] | set[int | None]) -> tuple[str, ...]:
    """Return the names of what a verdict depends on: the smaller model's ability, the other's, and difficulties."""
    names = (ability_name(*one.small), ability_name(*one.used), COMMON, category_name(one.category))
    return (*names, template_name(one.template)) if one.template is not None and one.template in templates else names


def _arrays(judged: Sequence[Judged], parts: Sequence[tuple[str, ...]], place: Mapping[str, int]) -> _Data:
    of_small, of_used = np.zeros((len(judged), len(place))), np.zeros((len(judged), len(place)))
    for at, (small, used, *difficulties) in enumerate(parts):
        of_small[at, place[small]] = 1.0
        of_used[at, place[used]] = 1.0
        for name in difficulties:
            of_small[at, place[name]] = of_used[at, place[name]] = -1.0
    return _Data(
        np.array([one.small_ability - one.difficulty for one in judged]),
        np.array([one.used_ability - one.difficulty for one in judged]),
        of_small,
        of_used,
        _marks(judged),
    )


def _prior_sd(name: str, priors: Priors) -> float:
    if name == COMMON:
        return priors.difficulty_common_sd
    if name.startswith(f"{COMMON}/template/"):
        return priors.template_sd
    return priors.difficulty_sd if name.startswith(f"{COMMON}/") else priors.ability[name]


def _marks(judged: Sequence[Judged]) -> Array:
    return np.eye(len(_CODES))[[_CODES.index(one.verdict) for one in judged]]


def _chances(small: Array, used: Array) -> Array:
    """Return P(win, tie, loss) by the margins of both models over the difficulty."""
    nothing = np.zeros(len(small))
    win, loss = p_loses(used, small, nothing), p_loses(small, used, nothing)
    exact = np.column_stack([win, 1 - win - loss, loss])
    return np.asarray((1 - SLIP) * exact + SLIP / len(_CODES))
