"""Measure the classifier: RouteLLM's development sets, sources held out whole, and an ablation.

Run as ``python scripts/measure_classifier.py --data DIR``; prints the tables of ``docs/classifier.md``.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.catalog import Catalog
from llm_audit.classify import heads, irt
from llm_audit.classify.learning.calibrate import Outcome, calibrate
from llm_audit.classify.learning.evaluate import Evaluation, Labels, evaluate, predict
from llm_audit.classify.model import Classifier
from llm_audit.classify.training import abilities, data, vectors, weights
from llm_audit.tokens.encodings import ranks
from llm_audit.vocabulary import Category

MODEL_IDS = {
    "gpt-4-turbo-2024-04-09": "gpt-4-turbo",
    "gpt-4o-mini-2024-07-18": "gpt-4o-mini",
    "gpt-4o-2024-05-13": "gpt-4o",
    "gpt-3.5-turbo-0125": "gpt-3.5-turbo",
    "claude-3-5-sonnet-20241022": "claude-3-5-sonnet",
    "claude-3-5-haiku-20241022": "claude-3-5-haiku",
    "claude-3-haiku-20240307": "claude-3-haiku",
    "claude-3-opus-20240229": "claude-3-opus",
    "o1-mini-2024-09-12": "o1-mini",
    "Meta-Llama-3.1-70B-Instruct": "llama-3.1-70b-instruct",
    "Meta-Llama-3_1-70B-Instruct": "llama-3.1-70b-instruct",
    "Meta-Llama-3.1-8B-Instruct": "llama-3.1-8b-instruct",
    "Meta-Llama-3_1-8B-Instruct": "llama-3.1-8b-instruct",
    "gemini-1.5-flash": "gemini-1.5-flash",
    "gemini-1.5-pro": "gemini-1.5-pro",
    "gemini-1.5-flash-002": "gemini-1.5-flash",
    "gemini-1.5-pro-002": "gemini-1.5-pro",
    "Mixtral-8x7B-Instruct-v0.1": "mixtral-8x7b-instruct",
    "Qwen2.5-7B-Instruct": "qwen2.5-7b-instruct",
    "Qwen2.5-72B-Instruct": "qwen2.5-72b-instruct",
    "Phi-3-mini-4k-instruct": "phi-3-mini-4k-instruct",
}
HELD_OUT = {"mmlu_pro": "MMLU-Pro", "zeroeval_crux": "CRUX", "zeroeval_math_l5": "MATH-L5", "zeroeval_numersense": "-"}


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with routing/ and models/")
    folder = parser.parse_args().data
    classifier = Classifier.load()
    catalog = Catalog.load().frame
    strong, weak = (abilities_of(catalog, model) for model in ("gpt-4-turbo", "mixtral-8x7b-instruct"))
    for name, labels in development(folder / "routing").items():
        judged, suffices = predict(classifier, labels.prompts, strong_ability=strong, weak_ability=weak)
        show(name, evaluate(labels, judged, suffices))
    low_label(folder / "routing", classifier, strong, weak)
    levels(folder / "routing", classifier)
    items = data.load(folder / "routing")
    held_out(folder, items, vectors.load(ranks("o200k_base")))
    ablation(folder / "routing", items, vectors.load(ranks("o200k_base")))
    kinds(items)


def abilities_of(catalog: pl.DataFrame, model: str) -> np.ndarray:
    """A model's abilities by ``Category``."""
    row = catalog.row(by_predicate=pl.col("model_id") == model, named=True)
    return np.array([row[f"ability_{category}"] for category in Category])


def development(folder: Path) -> dict[str, Labels]:
    """RouteLLM's development halves without contaminated rows."""
    out = {}
    for name in ("mmlu", "gsm8k"):
        frame = pl.read_parquet(folder / f"dev_routellm_{name}.parquet").filter(~pl.col("contaminated"))
        out[name] = _labels(frame)
        if name == "mmlu":
            out["mmlu without high_school_mathematics"] = _labels(
                frame.filter(pl.col("category") != "high_school_mathematics")
            )
    return out


def _labels(frame: pl.DataFrame) -> Labels:
    return Labels(
        prompts=frame["prompt"].to_list(),
        strong=frame["strong_score"].to_numpy().astype(np.float64),
        weak=frame["weak_score"].to_numpy().astype(np.float64),
    )


def show(name: str, result: Evaluation) -> None:
    """Print one evaluation."""
    apgr = result.apgr
    base = ", ".join(f"{key} {value.apgr:.3f}" for key, value in result.baselines.items())
    print(
        f"{name}: n {result.prompts}, APGR {apgr.value:.3f} ({apgr.low:.3f}-{apgr.high:.3f}), "
        f"CPT50 {result.cpt50.value:.3f}, CPT80 {result.cpt80.value:.3f}, {base}, "
        f"calibration error {result.calibration_error:.3f}, Brier {result.brier:.3f}"
    )


def low_label(folder: Path, classifier: Classifier, strong: np.ndarray, weak: np.ndarray) -> None:
    """Calibrate on a tenth of the MMLU development half and measure on the rest, five times."""
    labels = development(folder)["mmlu"]
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(labels.prompts))
        learn, test = order[: len(order) // 10], order[len(order) // 10 :]
        outcomes = [
            Outcome(prompt=labels.prompts[i], model=model, score=float(scores[i]))
            for i in learn.tolist()
            for model, scores in (("strong", labels.strong), ("weak", labels.weak))
        ]
        learnt = calibrate(outcomes, classifier, {"strong": strong, "weak": weak})
        rest = Labels(
            prompts=[labels.prompts[i] for i in test.tolist()], strong=labels.strong[test], weak=labels.weak[test]
        )
        judged, suffices = predict(
            learnt.apply(classifier),
            rest.prompts,
            strong_ability=strong + learnt.shift["strong"],
            weak_ability=weak + learnt.shift["weak"],
        )
        show(f"mmlu, calibrated on {len(learn)} rows, seed {seed}", evaluate(rest, judged, suffices, resamples=1))


def levels(folder: Path, classifier: Classifier) -> None:
    """How often a hard chat prompt of Arena-Hard v2 is judged harder than one of another set."""
    frame = pl.read_parquet(folder / "dev_difficulty_labels.parquet")
    difficulty = classifier.judge(frame["prompt"].to_list()).difficulty
    hard, *others = (
        np.sort(difficulty[(frame[column] == value).to_numpy() & ~np.isnan(difficulty)])
        for column, value in (
            ("category", "hard_prompt"),
            ("category", "creative_writing"),
            ("source", "clinc150_val"),
        )
    )
    for name, other in zip(("creative prompts of Arena-Hard v2", "CLINC150 utterances"), others, strict=True):
        below = np.searchsorted(other, hard, "left") + np.searchsorted(other, hard, "right")
        print(f"{len(hard)} hard prompts above {len(other)} {name}: {below.mean() / 2 / len(other):.3f}")


def held_out(folder: Path, items: data.Items, meaning: npt.NDArray[np.float64]) -> None:
    """Calibration error of P(suffices) on whole sources that neither weights nor abilities have seen."""
    scores = abilities.published(folder / "models" / "model_benchmarks.parquet")
    for name, benchmark in HELD_OUT.items():
        fitted = {
            (row.model_id, row.category): row.ability
            for row in abilities.fit(scores.filter(~pl.col("benchmark").str.contains(benchmark, literal=True)))
            if not row.effort
        }
        frame = pl.read_parquet(folder / "routing" / f"train_{name}.parquet")
        classifier = retrained(items, items.source != name, meaning)
        judged = classifier.judge(frame["prompt"].to_list())
        rows = judged.abstention == 0
        columns = {m: c for c in frame.columns if (m := MODEL_IDS.get(c.removeprefix(data.SCORE)))}
        predicted, observed = [], []
        for one, other in combinations(columns, 2):
            a, b = (np.array([fitted[m, c] for c in Category])[judged.category] for m in (one, other))
            used, small = (one, other) if a.mean() > b.mean() else (other, one)
            p = irt.p_suffices(np.minimum(a, b), np.maximum(a, b), judged.difficulty)
            lost = np.clip(frame[columns[used]].to_numpy() - frame[columns[small]].to_numpy(), 0, 1)
            keep = rows & ~np.isnan(lost)
            predicted.append(p[keep])
            observed.append(1 - lost[keep])
        p, y = np.concatenate(predicted), np.concatenate(observed)
        bins = np.array_split(np.argsort(p, kind="stable"), 10)
        error = sum(len(b) * abs(p[b].mean() - y[b].mean()) for b in bins) / len(p)
        print(
            f"held out {name}: {len(predicted)} pairs, {len(p)} outcomes, calibration error {error:.3f}, "
            f"predicted {p.mean():.3f}, observed {y.mean():.3f}, Brier {np.mean((p - y) ** 2):.3f}"
        )


def retrained(items: data.Items, rows: np.ndarray, meaning: npt.NDArray[np.float64] | None = None) -> Classifier:
    """A classifier trained on some of the items, with word vectors where they are given."""
    kept = data.Items(
        source=items.source[rows],
        group=items.group[rows],
        prompt=[prompt for prompt, keep in zip(items.prompt, rows.tolist(), strict=True) if keep],
        kind=items.kind[rows],
        level=items.level[rows],
        within=items.within[rows],
        weight=items.weight[rows],
    )
    return Classifier.read(io.BytesIO(weights.train(kept, meaning)))


def kinds(items: data.Items) -> None:
    """How often the kind of a chat prompt is told right, over the kinds read off Arena-Hard v0.1, three-fold."""
    known = np.flatnonzero((items.source == "arena_hard_v0.1") & (items.kind != ""))
    fold = np.random.default_rng(0).integers(0, 3, len(known))
    meaning = vectors.load(ranks("o200k_base"))
    written = items.source != "asks"
    for name, kept, given in (
        ("all", np.ones(len(written), bool), meaning),
        ("without word vectors", np.ones(len(written), bool), None),
        ("without the asks written for it", written, meaning),
    ):
        told = np.empty(len(known), dtype=items.kind.dtype)
        for part in range(3):
            out = known[fold == part]
            rows = kept.copy()
            rows[out] = False
            scored = retrained(items, rows, given).scores([items.prompt[i] for i in out.tolist()])
            told[fold == part] = np.array(list(heads.KINDS))[heads.shares(scored.scores).argmax(axis=1)]
        right = told == items.kind[known]
        each = [right[items.kind[known] == kind].mean() for kind in np.unique(items.kind[known])]
        print(
            f"kinds of {len(known)} chat prompts, {name}: {right.mean():.3f} right, mean over kinds {np.mean(each):.3f}"
        )


def ablation(folder: Path, items: data.Items, meaning: npt.NDArray[np.float64]) -> None:
    """APGR of the difficulty with parts taken away."""
    full = Classifier.load()
    column = heads.COLUMNS.index
    silent = full.table.copy()
    silent[:, column("difficulty")] = 0
    novice = full.table.copy()
    novice[:, column("expertise")] = 0
    variants = {
        "all parts": full,
        "without the words within a kind": replace(full, table=silent),
        "without expertise": replace(full, table=novice, bias=full.bias * (np.arange(len(full.bias)) != 1)),
        "without length": replace(full, slope=np.zeros_like(full.slope)),
        "without levels": replace(full, level=np.zeros_like(full.level)),
        "without MMLU-Pro": retrained(items, items.source != "mmlu_pro", meaning),
        "without GSM8K steps": retrained(items, items.source != "gsm8k_train_steps", meaning),
        "without the asks written for it": retrained(items, items.source != "asks", meaning),
        "without word vectors": Classifier.read(io.BytesIO(weights.train(items))),
    }
    for name, classifier in variants.items():
        print_row(folder, name, classifier, lambda texts, of=classifier: of.judge(texts).difficulty)
    print_row(folder, "without the form of exams", full, lambda texts: _formless(full, texts))


def print_row(
    folder: Path, name: str, classifier: Classifier, difficulty: Callable[[list[str]], npt.NDArray[np.floating]]
) -> None:
    """Print one row of the ablation."""
    figures = []
    for labels in development(folder).values():
        need = _as_need(difficulty(labels.prompts))
        figures.append(evaluate(labels, classifier.judge(labels.prompts), need, resamples=1).apgr.value)
    print(f"{name}: " + " ".join(f"{figure:.3f}" for figure in figures))


def _formless(classifier: Classifier, texts: list[str]) -> npt.NDArray[np.floating]:
    scored = classifier.scores(texts)
    return heads.difficulty(scored.scores, scored.raw, level=classifier.level, slope=classifier.slope)


def _as_need(difficulty: np.ndarray) -> np.ndarray:
    """Difficulty as something that falls where the strong model is needed, between 0 and 1."""
    return 1 / (1 + np.exp(difficulty.astype(np.float64)))


if __name__ == "__main__":
    main()
