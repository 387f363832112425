"""Measure what verdicts on a smaller model's answers add to the belief without them.

The published answers of GPT-4 and Mixtral to MMLU and GSM8K stand for a log with verdicts; a subject stands for the
template of an app. A random part of the prompts has verdicts, and P(loss) of all others is compared with what
happened: before, after the fit of abilities and difficulties by category, after the fit with a difficulty of each
template (what ``llm-audit calibrate`` does), and after a nearest-neighbour estimate over difficulty, category and
template.

    python scripts/measure_overrule.py --data FOLDER

``FOLDER`` holds ``dev_routellm_mmlu.parquet`` and ``dev_routellm_gsm8k.parquet``. The table stands in
``docs/method.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash
from msgspec.structs import replace

from llm_audit.catalog import Catalog
from llm_audit.classify import Classifier
from llm_audit.classify.learning.posterior import ability_name
from llm_audit.classify.learning.verdicts import Judged, Priors, Verdict, chances, fit
from llm_audit.policy import load
from llm_audit.vocabulary import Category

Array = npt.NDArray[np.float64]
USED, SMALL = "gpt-4-1106-preview", "mixtral-8x7b-instruct"
NUMBERS = (50, 200, 500)
REPEATS = 20
SUBJECTS = ("professional_law", "moral_scenarios", "high_school_psychology", "professional_medicine", "miscellaneous")
"""Large subjects of MMLU, unlike each other; with GSM8K they stand for the six apps of a log."""

NEIGHBOURS = 40
PRIOR_WEIGHT = 10.0
"""Verdicts that the belief counts for in the nearest-neighbour estimate."""

OTHER_CATEGORY, OTHER_TEMPLATE = 5.0, 20.0
"""What another category or template adds to the distance, in logits."""

BREAK_EVEN = 0.15
"""Share of a call's cost that a move saves for each answer that may be lost: it pays below this P(loss)."""

BINS = 10


def judged(data: Path) -> tuple[list[Judged], Priors]:
    """Read the prompts as verdicts, with the belief about them."""
    frames = [pl.read_parquet(data / f"dev_routellm_{name}.parquet") for name in ("mmlu", "gsm8k")]
    rows = pl.concat(frames).filter(pl.col("category").is_in([*SUBJECTS, "math_word_problem"]))
    catalog, order = Catalog.load(), list(Category)
    used, small = (catalog.resolve(None, name) for name in (USED, SMALL))
    assert used is not None
    assert small is not None
    found = Classifier.load().judge(rows["prompt"].to_list())
    known = {row["model_id"]: row for row in catalog.frame.iter_rows(named=True) if row["model_id"] in {used, small}}
    verdicts = []
    for at, (subject, strong, weak) in enumerate(rows.select("category", "strong_score", "weak_score").iter_rows()):
        if found.abstention[at]:
            continue
        category = str(order[found.category[at]])
        verdicts.append(
            Judged(
                verdict=Verdict.TIE if strong == weak else Verdict.LOSS if strong > weak else Verdict.WIN,
                used=(used, category),
                small=(small, category),
                used_ability=known[used][f"ability_{category}"],
                small_ability=known[small][f"ability_{category}"],
                category=category,
                template=xxhash.xxh3_64_intdigest(subject.encode()),
                difficulty=float(found.difficulty[at]),
            )
        )
    assumptions = load("small-by-default").assumptions
    spread = {
        ability_name(model, category): row[f"ability_{category}_sd"]
        for model, row in known.items()
        for category in order
    }
    return verdicts, Priors(
        ability=spread,
        difficulty_common_sd=assumptions.difficulty_common_sd,
        difficulty_sd=assumptions.difficulty_sd,
    )


def by_category(known: Sequence[Judged], asked: Sequence[Judged], priors: Priors) -> Array:
    """Return P(loss) after a fit without templates."""
    posterior = fit([replace(one, template=None) for one in known], priors)
    return chances([replace(one, template=None) for one in asked], posterior)[:, 2]


def by_template(known: Sequence[Judged], asked: Sequence[Judged], priors: Priors) -> Array:
    """Return P(loss) after a fit with templates."""
    return chances(asked, fit(known, priors))[:, 2]


def nearest(known: Sequence[Judged], asked: Sequence[Judged], priors: Priors) -> Array:
    """Return the mean of the belief and the nearest verdicts: of its template, its category first, by difficulty."""
    del priors
    lost = np.array([one.verdict is Verdict.LOSS for one in known], float)
    mine, theirs = _features(asked), _features(known)
    distance = np.abs(mine[:, None, :] - theirs[None, :, :])
    far = distance[:, :, 0] + OTHER_CATEGORY * (distance[:, :, 1] > 0) + OTHER_TEMPLATE * (distance[:, :, 2] > 0)
    order = np.argsort(far, axis=1, kind="stable")[:, :NEIGHBOURS]
    near = np.take_along_axis(far, order, axis=1) < OTHER_TEMPLATE
    seen = (lost[order] * near).sum(axis=1)
    return np.asarray((PRIOR_WEIGHT * chances(asked)[:, 2] + seen) / (PRIOR_WEIGHT + near.sum(axis=1)))


def _features(some: Sequence[Judged]) -> Array:
    order = {name: at for at, name in enumerate(Category)}
    templates = {one.template: one.template % 2**31 for one in some if one.template is not None}
    return np.array(
        [(one.difficulty, order[Category(one.category)], templates.get(one.template or 0, 0)) for one in some], float
    )


def before(known: Sequence[Judged], asked: Sequence[Judged], priors: Priors) -> Array:
    """Return P(loss) as believed."""
    del known, priors
    return chances(asked)[:, 2]


ESTIMATES: dict[str, Callable[[Sequence[Judged], Sequence[Judged], Priors], Array]] = {
    "before": before,
    "by category": by_category,
    "by category and template": by_template,
    "nearest verdicts": nearest,
}


def figures(p: Array, asked: Sequence[Judged]) -> tuple[float, float, float]:
    """Return log loss, calibration error, and regret in lost answers for 1,000 requests."""
    lost = np.array([one.verdict is Verdict.LOSS for one in asked], float)
    bounded = np.clip(p, 1e-4, 1 - 1e-4)
    loss = -(lost * np.log(bounded) + (1 - lost) * np.log1p(-bounded)).mean()
    groups = np.array_split(np.argsort(p, kind="stable"), BINS)
    error = sum(len(rows) * abs(p[rows].mean() - lost[rows].mean()) for rows in groups) / len(p)
    gained = (BREAK_EVEN - lost) * (p < BREAK_EVEN)
    best = np.array([_best(asked, lost, template) for template in dict.fromkeys(one.template for one in asked)]).sum()
    return float(loss), float(error), float((best - gained.sum()) / len(p) * 1_000)


def _best(asked: Sequence[Judged], lost: Array, template: int | None) -> float:
    """Return what the better of moving all and none of a template gains, by what really was lost."""
    rows = np.array([one.template == template for one in asked])
    return max(0.0, float((BREAK_EVEN - lost[rows]).sum()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    verdicts, priors = judged(parser.parse_args().data)
    print(f"{len(verdicts):,} prompts\n")
    print("| verdicts | P(loss) from | log loss | calibration error | regret for 1,000 |")
    print("|--:|---|--:|--:|--:|")
    for number in NUMBERS:
        for name, estimate in ESTIMATES.items():
            measured = []
            for repeat in range(REPEATS):
                order = np.random.default_rng([repeat]).permutation(len(verdicts))
                known, asked = ([verdicts[at] for at in part] for part in (order[:number], order[number:]))
                measured.append(figures(estimate(known, asked, priors), asked))
            loss, error, regret = np.mean(measured, axis=0)
            print(f"| {number} | {name} | {loss:.4f} | {error:.3f} | {regret:.1f} |", flush=True)


if __name__ == "__main__":
    main()
