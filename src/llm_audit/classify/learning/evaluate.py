"""Quality of a ranking of prompts for routing between two models, by RouteLLM's definitions.

With a strong and a weak model's scores known for every prompt, a router sends the share ``x`` it believes hardest to
the strong model and reaches the mean score ``y``. APGR is the area under ``y(x)`` between that of the weak and that of
the strong model alone, as a share; CPT(p) is the ``x`` at which the share ``p`` of the gap is recovered (Ong et al.,
RouteLLM, arXiv 2406.18665). Thresholds are the deciles of the ranking, as in their evaluation.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from llm_audit.classify.irt import p_suffices
from llm_audit.classify.learning.statistics import Interval, binomial_upper, bootstrap
from llm_audit.classify.model import Classifier, Judgement
from llm_audit.errors import UsageError
from llm_audit.vocabulary import Category

Array = npt.NDArray[np.float64]
DECILES: Final = 10
RESAMPLES: Final = 1000
CONFIDENCE: Final = 0.95
PRICE_RATIO: Final = 0.24 / 24.7
"""Mixtral 8x7B to GPT-4 by RouteLLM's own estimate, dollars per million tokens (section 5.4)."""
GENERIC_STRONG: Final = 1.0
GENERIC_WEAK: Final = -0.5
"""Abilities taken where the models are not named: about a flagship and a small model of one generation."""


class Labels(msgspec.Struct, kw_only=True, frozen=True):
    """Prompts with the scores, 0..1, of a strong and a weak model."""

    prompts: list[str]
    strong: Array
    weak: Array

    def __post_init__(self) -> None:
        if not self.prompts:
            raise UsageError("The labels hold no prompt. Give rows with prompt, strong_score and weak_score.")
        for name, scores in (("strong_score", self.strong), ("weak_score", self.weak)):
            if len(scores) != len(self.prompts) or not np.all((scores >= 0) & (scores <= 1)):
                raise UsageError(f"{name} must be a number from 0 to 1 in every row.")
        if self.strong.mean() <= self.weak.mean():
            raise UsageError(
                f"The strong model scores {self.strong.mean():.3f}, the weak one {self.weak.mean():.3f}: "
                "there is no gap to recover. Swap the columns, or take other models."
            )


class Routing(msgspec.Struct, kw_only=True, frozen=True):
    """The quality of one ranking. CPTs are shares of calls sent to the strong model."""

    apgr: float
    cpt50: float
    cpt80: float


class Bin(msgspec.Struct, kw_only=True, frozen=True):
    """A bin of the reliability curve: prompts of about one predicted P(suffices), and how often it did."""

    prompts: int
    predicted: float
    observed: float


class Slice(msgspec.Struct, kw_only=True, frozen=True):
    """Prompts of one category. ``error`` is mean predicted minus observed P(suffices)."""

    category: str
    prompts: int
    gap: float
    apgr: float | None
    brier: float
    error: float


class DownRoutes(msgspec.Struct, kw_only=True, frozen=True):
    """The effect of a target of P(suffices): prompts sent down, successes lost, and the bound on their rate."""

    target: float
    routed: int
    lost: int
    rate: float | None
    rate_upper: float | None


class Evaluation(msgspec.Struct, kw_only=True, frozen=True):
    """The result of ``evaluate``.

    ``cost_saving_50`` and ``_80`` say how many times cheaper than random routing the router reaches 50 and 80 % of the
    gap, given the price ratio. RouteLLM's Table 6 has the ratio of strong calls alone, which is that at a price ratio
    of 0: 1 % more than at its own prices. ``baselines`` has ``random``, ``length`` (characters) and ``oracle``.
    """

    prompts: int
    abstained: int
    strong_mean: float
    weak_mean: float
    apgr: Interval
    cpt50: Interval
    cpt80: Interval
    cost_saving_50: float
    cost_saving_80: float
    baselines: dict[str, Routing]
    reliability: list[Bin]
    calibration_error: float
    brier: float
    by_category: list[Slice]
    down_routes: list[DownRoutes]


def predict(
    classifier: Classifier,
    prompts: list[str],
    *,
    strong_ability: Array | None = None,
    weak_ability: Array | None = None,
) -> tuple[Judgement, Array]:
    """Judge prompts and say P(the weak model suffices); NaN where the classifier abstains.

    Args:
        classifier: The weights.
        prompts: The prompts.
        strong_ability: Ability of the strong model by ``Category``; a generic one where ``None``.
        weak_ability: Same for the weak model.
    """
    judged = classifier.judge(prompts)
    strong = np.full(len(Category), GENERIC_STRONG) if strong_ability is None else strong_ability
    weak = np.full(len(Category), GENERIC_WEAK) if weak_ability is None else weak_ability
    return judged, p_suffices(weak[judged.category], strong[judged.category], judged.difficulty)


def evaluate(
    labels: Labels,
    judged: Judgement,
    suffices: Array,
    *,
    price_ratio: float = PRICE_RATIO,
    targets: tuple[float, ...] = (0.8, 0.9, 0.95),
    resamples: int = RESAMPLES,
) -> Evaluation:
    """Measure a prediction against labels.

    Args:
        labels: Prompts and both models' scores.
        judged: The judgement of the prompts.
        suffices: P(the weak model suffices) of each; NaN sends the prompt to the strong model first.
        price_ratio: Cost of a weak call over that of a strong one, for the cost-saving ratio.
        targets: P(suffices) at which false down-routes are bounded.
        resamples: Bootstrap samples of prompts.
    """
    strong, weak = labels.strong, labels.weak
    need = np.where(np.isnan(suffices), 1.0, 1.0 - suffices)
    lost = np.clip(strong - weak, 0.0, 1.0)
    known = ~np.isnan(suffices)

    def measure(rows: npt.NDArray[np.int64]) -> Array:
        one = routing(need[rows], strong[rows], weak[rows])
        return np.array([one.apgr, one.cpt50, one.cpt80])

    apgr, cpt50, cpt80 = bootstrap(measure, len(need), resamples=resamples, confidence=CONFIDENCE)
    bins = _reliability(suffices[known], 1 - lost[known])
    return Evaluation(
        prompts=len(need),
        abstained=int((~known).sum()),
        strong_mean=float(strong.mean()),
        weak_mean=float(weak.mean()),
        apgr=apgr,
        cpt50=cpt50,
        cpt80=cpt80,
        cost_saving_50=_saving(0.5, cpt50.value, price_ratio),
        cost_saving_80=_saving(0.8, cpt80.value, price_ratio),
        baselines=baselines(labels),
        reliability=bins,
        calibration_error=sum(b.prompts * abs(b.predicted - b.observed) for b in bins) / max(int(known.sum()), 1),
        brier=float(np.mean((suffices[known] - (1 - lost[known])) ** 2)) if known.any() else float("nan"),
        by_category=_slices(judged, suffices, labels),
        down_routes=[_down_routes(target, suffices, lost) for target in targets],
    )


def routing(need: Array, strong: Array, weak: Array) -> Routing:
    """APGR and CPTs of a ranking: the higher ``need``, the sooner a prompt goes to the strong model."""
    shares, quality = curve(need, strong, weak)
    low, gap = float(weak.mean()), float(strong.mean() - weak.mean())
    if gap == 0:
        return Routing(apgr=float("nan"), cpt50=float("nan"), cpt80=float("nan"))
    recovered = (quality - low) / gap
    area = float(((recovered[1:] + recovered[:-1]) / 2 * np.diff(shares)).sum())
    return Routing(apgr=area, cpt50=_reach(0.5, shares, recovered), cpt80=_reach(0.8, shares, recovered))


def curve(need: Array, strong: Array, weak: Array) -> tuple[Array, Array]:
    """Shares of strong calls, rising from 0 to 1, and the mean score at each."""
    thresholds = np.unique(np.quantile(need, np.linspace(0, 1, DECILES + 1)))
    chosen = [need >= t for t in thresholds] + [np.zeros(len(need), bool)]
    shares = np.array([c.mean() for c in chosen])
    quality = np.array([np.where(c, strong, weak).mean() for c in chosen])
    return shares[::-1], quality[::-1]


def baselines(labels: Labels) -> dict[str, Routing]:
    """Results of random choice, prompt length and hindsight on the same labels."""
    lengths = np.array([len(prompt) for prompt in labels.prompts], np.float64)
    gap = labels.strong - labels.weak
    return {
        "random": Routing(apgr=0.5, cpt50=0.5, cpt80=0.8),
        "length": routing(lengths, labels.strong, labels.weak),
        "oracle": _oracle(gap),
    }


def _oracle(gap: Array) -> Routing:
    """Prompts in the order of what the strong model gains on them, without ties."""
    recovered = np.concatenate([[0.0], np.cumsum(np.sort(gap)[::-1])]) / gap.sum()
    shares = np.linspace(0, 1, len(recovered))
    area = float(((recovered[1:] + recovered[:-1]) / 2 * np.diff(shares)).sum())
    return Routing(apgr=area, cpt50=_reach(0.5, shares, recovered), cpt80=_reach(0.8, shares, recovered))


def _reach(level: float, shares: Array, recovered: Array) -> float:
    """The first share at which ``level`` of the gap is recovered, between points by a line."""
    at = int(np.argmax(recovered >= level))
    if at == 0:
        return float(shares[0] if recovered[0] >= level else 1.0)
    rise = recovered[at] - recovered[at - 1]
    return float(shares[at - 1] + (level - recovered[at - 1]) / rise * (shares[at] - shares[at - 1]))


def _saving(random_share: float, share: float, price_ratio: float) -> float:
    return (random_share + (1 - random_share) * price_ratio) / (share + (1 - share) * price_ratio)


def _reliability(predicted: Array, observed: Array) -> list[Bin]:
    order = np.argsort(predicted, kind="stable")
    return [
        Bin(prompts=len(rows), predicted=float(predicted[rows].mean()), observed=float(observed[rows].mean()))
        for rows in np.array_split(order, min(DECILES, max(len(order), 1)))
        if len(rows)
    ]


def _slices(judged: Judgement, suffices: Array, labels: Labels) -> list[Slice]:
    out = []
    for code, category in enumerate(Category):
        rows = (judged.category == code) & ~np.isnan(suffices)
        if not rows.any():
            continue
        strong, weak = labels.strong[rows], labels.weak[rows]
        kept = 1 - np.clip(strong - weak, 0, 1)
        apgr = routing(1 - suffices[rows], strong, weak).apgr
        out.append(
            Slice(
                category=category.value,
                prompts=int(rows.sum()),
                gap=float(strong.mean() - weak.mean()),
                apgr=None if np.isnan(apgr) else apgr,
                brier=float(np.mean((suffices[rows] - kept) ** 2)),
                error=float(np.mean(suffices[rows] - kept)),
            )
        )
    return out


def _down_routes(target: float, suffices: Array, lost: Array) -> DownRoutes:
    sent = suffices >= target
    routed, losses = int(sent.sum()), round(float(lost[sent].sum()))
    return DownRoutes(
        target=target,
        routed=routed,
        lost=losses,
        rate=losses / routed if routed else None,
        rate_upper=binomial_upper(losses, routed, confidence=CONFIDENCE) if routed else None,
    )
