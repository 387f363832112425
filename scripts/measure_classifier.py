"""Measure the classifier: prompts read by hand, development sets, sources held out, and an ablation.

Run as ``python scripts/measure_classifier.py --data DIR [PART ...]``; prints the tables of ``docs/classifier.md``.
"""

from __future__ import annotations

import argparse
import io
import math
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec.structs import replace

from llm_audit.catalog import Catalog
from llm_audit.classify import heads, irt
from llm_audit.classify.features import encoded
from llm_audit.classify.learning import ridge
from llm_audit.classify.learning.calibrate import Outcome, calibrate
from llm_audit.classify.learning.evaluate import Evaluation, Labels, evaluate, predict
from llm_audit.classify.model import Classifier
from llm_audit.classify.text.select import select
from llm_audit.classify.training import abilities, data, vectors, weights
from llm_audit.classify.training.lexicon import lexicon
from llm_audit.sources.entry import Message
from llm_audit.tokens.encodings import ranks
from llm_audit.vocabulary import Category, Stakes

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


PARTS = ("read", "development", "calibration", "levels", "sets", "held-out", "ablation")
PROMPTS = Path(__file__).parent / "data" / "held_out_prompts.csv"
TIERS = {"small": -math.inf, "mid": -1.9, "frontier": -0.1}
"""The difficulty from which a tier of models is needed: midway between the levels that training gives the tiers."""


def main() -> None:
    """Print the tables asked for, all of them by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with routing/ and models/")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="tables to print")
    given = parser.parse_args()
    folder, parts = given.data, given.parts or PARTS
    classifier = Classifier.load()
    if "read" in parts:
        for (batch,), frame in sorted(pl.read_csv(PROMPTS).group_by("batch")):
            print(f"batch {batch}")
            read(classifier, frame)
    catalog = Catalog.load().frame
    strong, weak = (abilities_of(catalog, model) for model in ("gpt-4-turbo", "mixtral-8x7b-instruct"))
    if "development" in parts:
        for name, labels in development(folder / "routing").items():
            judged, suffices = predict(classifier, labels.prompts, strong_ability=strong, weak_ability=weak)
            show(name, evaluate(labels, judged, suffices))
    if "calibration" in parts:
        low_label(folder / "routing", classifier, strong, weak)
    if "levels" in parts:
        levels(folder / "routing", classifier)
    if {"sets", "held-out", "ablation"} & {*parts}:
        trained_anew(folder, parts)


def trained_anew(folder: Path, parts: list[str]) -> None:
    """Print the tables that need other weights than the shipped ones."""
    items = data.load(
        folder / "routing", abilities.levels(abilities.published(folder / "models" / "model_benchmarks.parquet"))
    )
    meaning = vectors.load(ranks("o200k_base"), vectors.glossary())
    if "sets" in parts:
        sets(folder, items, meaning)
    if "held-out" in parts:
        held_out(folder, items, meaning)
    if "ablation" in parts:
        ablation(folder / "routing", items, meaning)


def read(classifier: Classifier, frame: pl.DataFrame) -> None:
    """Tiers, kinds, languages and stakes of prompts that were read by hand and never trained on."""
    texts = [select([Message("user", prompt)]).text for prompt in frame["prompt"].to_list()]
    judged = classifier.judge(texts)
    tier, language = frame["tier"].to_numpy(), frame["language"].to_numpy()
    bounds = np.array(list(TIERS.values()))
    found = np.array(list(TIERS))[(judged.difficulty[:, None] >= bounds).sum(axis=1).clip(1) - 1]
    category = np.array([heads.KINDS[kind].value for kind in frame["kind"].to_list()])
    named = np.array([list(Category)[code].value for code in judged.category.tolist()])
    others = [name for name in np.unique(language).tolist() if name != "en" and (language == name).sum() > 2]
    for name in ("en", "all others", *others):
        rows = language != "en" if name == "all others" else language == name
        hard, easy = (judged.difficulty[rows & (tier == of)] for of in ("frontier", "small"))
        above = float((hard[:, None] > easy).mean())
        low, high = _bootstrap(found[rows] == tier[rows])
        print(
            f"{name}: {rows.sum()} prompts, not judged {np.isnan(judged.difficulty[rows]).sum()}, tier agreed "
            f"{(found == tier)[rows].mean():.2f} ({low:.2f}-{high:.2f}), AUC {above:.3f}, "
            f"category {(category == named)[rows].mean():.2f}, "
            f"language {np.mean(np.array(judged.language)[rows] == language[rows]):.2f}"
        )
    for one in np.unique(category):
        rows = category == one
        missed = Counter(named[rows & (named != one)].tolist())
        print(f"{one}: {rows.sum()}, right {(named[rows] == one).sum()}, else {dict(missed.most_common())}")
    wanted = frame["stakes"].to_numpy()
    flagged = np.array(["none", *Stakes])[judged.stakes]
    for one in Stakes:
        both = ((wanted == one) & (flagged == one)).sum()
        print(f"{one}: precision {both}/{(flagged == one).sum()}, recall {both}/{(wanted == one).sum()}")


def _bootstrap(values: npt.NDArray[np.bool_], resamples: int = 2000) -> tuple[float, float]:
    drawn = np.random.default_rng(0).integers(0, len(values), (resamples, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


FAMILIES = {
    "HumanEval": ("set:HumanEval", "set:HumanEval-X", "llmrouter:human_eval"),
    "MATH": (*(f"set:MATH-L{level}" for level in range(1, 6)), "math500", "llmrouter:math", "zeroeval_math_l5"),
    "BFCL": ("set:BFCL-NonLiveAST", "set:BFCL-Live", "set:BFCL-MultiTurn"),
    "Arena-Hard": ("set:ArenaHard-v0.1", "set:ArenaHard-v2-creative", "arena_hard_v0.1"),
    "Olympiad": ("set:OlympiadBench-maths-text", "ladder_olympiadbench"),
    "IMO": ("set:IMO-ProofBench-Basic",),
    "GSM8K": ("gsm8k_train_steps", "llmrouter:gsm8k", "llmrouter:agentverse-mgsm"),
    "tau2": ("set:tau2-retail",),
    "IFBench": ("set:IFBench",),
    "ARC-AGI": ("set:ARC-AGI-v1-eval",),
    "Aider": ("set:Aider-polyglot",),
    "CRUX": ("zeroeval_crux",),
    "SVAMP": ("ladder_svamp",),
    "CLINC150": ("clinc150_train",),
    "MBPP": ("llmrouter:mbpp",),
    "TriviaQA": ("llmrouter:trivia_qa", "llmrouter:natural_qa"),
    "GPQA": ("llmrouter:gpqa",),
    "CommonsenseQA": ("llmrouter:commonsense_qa",),
}
"""Sets that are left out together, since they share problems or authors."""


RATED = (
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-5",
    "claude-sonnet-4",
    "claude-3-5-sonnet",
    "gemini-2.5-pro",
    "gpt-4.1",
    "o3-mini",
)
"""Models whose published scores the predicted ones are held against."""


def sets(folder: Path, items: data.Items, meaning: npt.NDArray[np.floating]) -> None:
    """Predicted against fitted level of sets, each left out of training with its family, and predicted scores."""
    published = abilities.published(folder / "models" / "model_benchmarks.parquet")
    scored = published.group_by("model_id", "benchmark", "category").agg(pl.col("y").mean())
    catalog, errors = Catalog.load().frame, []
    some = items.take(weights.capped(items.source))
    design = ridge.Design.of(some.prompt.tolist(), meaning)
    asks = ~np.isnan(some.level) & ~heads.lettered(design.raw)
    bends = weights.level_map(some, design, asks)
    predicted, fitted = {}, {}
    for family in FAMILIES.values():
        score = design.predict(weights.level(some, design, asks & ~np.isin(some.source, family)))
        for name in family:
            rows = asks & (some.source == name)
            if rows.any():
                predicted[name] = float(heads.level_of(score[rows], bends).mean())
                fitted[name] = float(some.level[rows].mean())
                print(f"{name}: predicted {predicted[name]:.2f}, fitted {fitted[name]:.2f}")
                series = data.SERIES.get(name.removeprefix("set:"), "")
                for model, category, y in (
                    scored.filter(pl.col("benchmark") == series, pl.col("model_id").is_in(RATED))
                    .select("model_id", "category", "y")
                    .iter_rows()
                ):
                    ability = abilities_of(catalog, model)[list(Category).index(Category(category))]
                    judged = heads.level_of(score[rows], bends)
                    centred = judged - judged.mean() + fitted[name]
                    errors.append(
                        (
                            model,
                            float(irt.p_success(ability, judged).mean()),
                            1 / (1 + math.exp(-y)),
                            float(irt.p_success(ability, centred).mean()),
                        )
                    )
    for model in (*RATED, None):
        p, y, at_fitted = np.array([row[1:] for row in errors if model in (row[0], None)]).T
        error, floor = np.abs(p - y).mean(), np.abs(at_fitted - y).mean()
        print(
            f"{model or 'all'}: {len(p)} sets, mean error of P(success) {error:.3f}, bias {(p - y).mean():+.3f}, "
            f"error at the fitted level {floor:.3f}, bias {(at_fitted - y).mean():+.3f}"
        )
    for name, chosen in (
        ("all sets", list(fitted)),
        ("sets with published scores", [name for name in fitted if name.startswith("set:")]),
    ):
        p, y = (np.array([values[key] for key in chosen]) for values in (predicted, fitted))
        rank = np.corrcoef(p.argsort().argsort(), y.argsort().argsort())[0, 1]
        print(f"{len(chosen)} {name}: rank correlation {rank:.2f}, slope {np.polyfit(y, p, 1)[0]:.2f}")


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


def held_out(folder: Path, items: data.Items, meaning: npt.NDArray[np.floating]) -> None:
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


def retrained(
    items: data.Items, rows: npt.NDArray[np.bool_], meaning: npt.NDArray[np.floating] | None = None
) -> Classifier:
    """A classifier trained on some of the items, with word vectors where they are given."""
    return Classifier.read(io.BytesIO(weights.train(items.take(rows), lexicon(items), meaning)))


def ablation(folder: Path, items: data.Items, meaning: npt.NDArray[np.floating]) -> None:
    """APGR of the difficulty with parts taken away."""
    full = Classifier.load()
    silent = full.table.copy()
    silent[:, heads.COLUMNS.index("within")] = 0
    variants = {
        "all parts": full,
        "without the words within a kind": replace(full, table=silent),
        "without length": replace(full, slope=np.zeros_like(full.slope)),
        "without the prompts written for it": retrained(items, ~np.char.startswith(items.source, "prompts:"), meaning),
        "without the anchored sets": retrained(items, ~np.char.startswith(items.source, "set:"), meaning),
        "without GSM8K steps": retrained(items, items.source != "gsm8k_train_steps", meaning),
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
    scored = classifier.scores([*map(encoded, texts)])
    return heads.difficulty(
        scored.scores, scored.raw, level=classifier.level, exam=classifier.exam, slope=classifier.slope
    )


def _as_need(difficulty: np.ndarray) -> np.ndarray:
    """Difficulty as something that falls where the strong model is needed, between 0 and 1."""
    return 1 / (1 + np.exp(difficulty.astype(np.float64)))


if __name__ == "__main__":
    main()
