"""A user's own outcomes, as few as a hundred, shift difficulty and abilities.

First every model gets a shift of its ability, a penalised logistic fit of its outcomes. Then the difficulty gets an
added column, a ridge on the same features as the weights: where two models answered a prompt, it is fitted to what the
abler one gained over expectation, since that is what routing turns on; with one model's outcomes only, to its failures
over expectation. Residuals of probability become logits by the mean slope of the expectation. With little data the
penalties keep both near zero, so nothing is lost; with more, the words of the user's own traffic are learnt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from llm_audit.classify.hashing import BUCKETS
from llm_audit.classify.irt import hardest_gap, p_loses, p_success
from llm_audit.classify.learning import ridge
from llm_audit.classify.learning.calibration import FEWEST, Calibration
from llm_audit.classify.model import Classifier, calibrated
from llm_audit.classify.text.structure import NAMES
from llm_audit.errors import UsageError
from llm_audit.vocabulary import Category

Array = npt.NDArray[np.float64]
FEATURE_PENALTY: Final = 10.0
SHIFT_SD: Final = 0.7
FOLDS: Final = 5
_NEWTON_STEPS: Final = 8
_NOTHING: Final = np.zeros(BUCKETS)
_NO_STRUCTURE: Final = np.zeros(len(NAMES))
_STEP: Final = 0.5  # logits, for slopes by difference
_LEAST_SLOPE: Final = 0.12  # of a probability by a logit; flatter expectations would turn surprises into huge shifts


class Outcome(msgspec.Struct, kw_only=True, frozen=True):
    """The outcome of one prompt with one model: ``score`` from 0 (failed) to 1 (succeeded)."""

    prompt: str
    model: str
    score: float


def calibrate(outcomes: Sequence[Outcome], classifier: Classifier, abilities: Mapping[str, Array]) -> Calibration:
    """Fit a calibration.

    Args:
        outcomes: What models made of prompts; the same prompt may occur with several models.
        classifier: The shipped weights.
        abilities: Abilities by ``Category`` of every model named in the outcomes.

    Raises:
        UsageError: Too few outcomes, a score out of range, or a model without abilities.
    """
    _check(outcomes, abilities)
    prompts = list(dict.fromkeys(outcome.prompt for outcome in outcomes))
    judged = classifier.judge(prompts)
    row = {prompt: index for index, prompt in enumerate(prompts) if not judged.abstention[index]}
    used = [outcome for outcome in outcomes if outcome.prompt in row]
    _check(used, abilities)
    models = sorted({outcome.model for outcome in used})
    item = np.array([row[outcome.prompt] for outcome in used])
    data = _Data(
        ridge.Design.of(prompts),
        item,
        np.array([models.index(outcome.model) for outcome in used]),
        np.array([outcome.score for outcome in used]),
        np.array([abilities[outcome.model][judged.category[i]] for outcome, i in zip(used, item, strict=True)]),
        judged.difficulty.astype(np.float64),
    )
    predicted = data.predictions(data.prior())
    held_out = np.empty(len(predicted.p))
    for fold in range(FOLDS):
        rows = predicted.item % FOLDS == fold
        held_out[rows] = data.predictions(data.fit(item % FOLDS != fold)).p[rows]
    learnt = data.fit(np.ones(len(used), bool))
    buckets = np.flatnonzero(learnt.added)
    return Calibration(
        classifier=classifier.fingerprint,
        outcomes=len(used),
        buckets=buckets,
        weights=learnt.added[buckets],
        shift=dict(zip(models, learnt.shift.tolist(), strict=True)),
        shift_sd=dict(zip(models, learnt.sd.tolist(), strict=True)),
        most=learnt.most,
        before=_log_loss(predicted.observed, predicted.p),
        after=_log_loss(predicted.observed, held_out),
    )


def _check(outcomes: Sequence[Outcome], abilities: Mapping[str, Array]) -> None:
    if len(outcomes) < FEWEST:
        raise UsageError(
            f"{len(outcomes)} outcomes can be judged; calibrate needs at least {FEWEST}, better a hundred."
        )
    for number, outcome in enumerate(outcomes, start=1):
        if not 0 <= outcome.score <= 1:
            raise UsageError(f"Outcome {number}: the score {outcome.score} is not between 0 and 1.")
        if outcome.model not in abilities or len(abilities[outcome.model]) != len(Category):
            raise UsageError(f"Outcome {number}: no ability is known for the model {outcome.model}.")


class _Data(msgspec.Struct, frozen=True):
    """Outcomes by prompt (``item``) and model.

    ``ability`` is that of an outcome's model, ``difficulty`` that of a prompt before calibration.
    """

    design: ridge.Design
    item: npt.NDArray[np.int64]
    model: npt.NDArray[np.int64]
    score: Array
    ability: Array
    difficulty: Array

    def expected(self, added: Array, shift: Array, *, most: float = math.inf, harder: float = 0.0) -> Array:
        """P(success) of every outcome with what was learnt, all prompts ``harder`` by so many logits."""
        return p_success(self.ability + shift[self.model], (self.calibrated(added, most) + harder)[self.item])

    def calibrated(self, added: Array, most: float) -> Array:
        """The difficulty of every prompt with what was learnt."""
        return calibrated(self.difficulty, self.design.times(added, _NO_STRUCTURE), most=most)

    def prior(self) -> _Learnt:
        """Nothing learnt."""
        models = int(self.model.max()) + 1
        return _Learnt(_NOTHING, np.zeros(models), np.full(models, SHIFT_SD), math.inf)

    def predictions(self, learnt: _Learnt) -> _Predictions:
        """P(the abler model's success is lost) of each prompt that two models answered, else each P(success)."""
        abler, other = self._pairs(np.ones(len(self.item), bool), np.zeros(len(learnt.shift)))
        if len(abler) < FEWEST:
            return _Predictions(self.expected(learnt.added, learnt.shift, most=learnt.most), self.score, self.item)
        difficulty = self.calibrated(learnt.added, learnt.most)[self.item[abler]]
        ability = self.ability + learnt.shift[self.model]
        lost = np.clip(self.score[abler] - self.score[other], 0, 1)
        return _Predictions(p_loses(ability[other], ability[abler], difficulty), lost, self.item[abler])

    def fit(self, rows: npt.NDArray[np.bool_]) -> _Learnt:
        """Fit shifts, their standard deviations, and the added difficulty to some of the outcomes."""
        models = int(self.model.max()) + 1
        shift, sd = np.zeros(models), np.full(models, SHIFT_SD)
        for _ in range(_NEWTON_STEPS):
            p = self.expected(_NOTHING, shift)
            slope = (p - self.expected(_NOTHING, shift, harder=_STEP)) / _STEP
            share = np.where(rows, slope / np.maximum(p * (1 - p), 1e-6), 0.0)
            precision = np.bincount(self.model, share * slope, models) + 1 / SHIFT_SD**2
            shift = (
                shift + (np.bincount(self.model, share * (self.score - p), models) - shift / SHIFT_SD**2) / precision
            )
            sd = precision**-0.5
        added, most = self._added(rows, shift)
        return _Learnt(added, shift, sd, most)

    def _added(self, rows: npt.NDArray[np.bool_], shift: Array) -> tuple[Array, float]:
        """Logits by bucket that explain the surprises, and the difficulty that they may reach."""
        prompts = len(self.difficulty)
        p, harder = self.expected(_NOTHING, shift), self.expected(_NOTHING, shift, harder=_STEP)
        abler, other = self._pairs(rows, shift)
        most = math.inf
        if len(abler) >= FEWEST:
            item = self.item[abler]
            surprise = (self.score[abler] - self.score[other]) - (p[abler] - p[other])
            slope = float(((harder[abler] - harder[other]) - (p[abler] - p[other])).mean()) / _STEP
            ability = self.ability + shift[self.model]
            most = hardest_gap(float(ability[abler].mean()), float(ability[other].mean()))
        else:
            item, surprise = self.item[rows], (p - self.score)[rows]
            slope = float((p - harder)[rows].mean()) / _STEP
        weight = np.bincount(item, minlength=prompts).astype(np.float64)
        target = np.bincount(item, surprise, prompts) / np.maximum(weight, 1)
        sparse, _, _ = ridge.fit(
            self.design, target, weight=weight, penalty=FEATURE_PENALTY, dense_penalty=np.inf, centred=False
        )
        return np.divide(sparse, max(slope, _LEAST_SLOPE)), most

    def _pairs(self, rows: npt.NDArray[np.bool_], shift: Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Outcomes of the ablest and the least able model of each prompt that two models answered."""
        ability = self.ability + shift[self.model]
        order = np.flatnonzero(rows)[np.lexsort((ability[rows], self.item[rows]))]
        first = np.flatnonzero(np.diff(self.item[order], prepend=-1))
        last = np.append(first[1:], len(order)) - 1
        two = first < last
        return order[last[two]], order[first[two]]


class _Learnt(msgspec.Struct, frozen=True):
    """Logits by bucket, shifts of abilities with their standard deviations, and the difficulty the logits may reach."""

    added: Array
    shift: Array
    sd: Array
    most: float


class _Predictions(msgspec.Struct, frozen=True):
    """Probabilities of what was observed, 0 to 1, and the prompts it was observed of."""

    p: Array
    observed: Array
    item: npt.NDArray[np.int64]


def _log_loss(score: Array, p: Array) -> float:
    bounded = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-(score * np.log(bounded) + (1 - score) * np.log1p(-bounded)).mean())
