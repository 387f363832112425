import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from llm_audit.classify import Classifier, heads
from llm_audit.classify.features import pack
from llm_audit.classify.hashing import WORD_BUCKETS, buckets_numpy
from llm_audit.classify.learning import ridge
from llm_audit.classify.text import language
from llm_audit.classify.training import abilities, anchors, data, rasch, vectors, weights
from llm_audit.classify.training.lexicon import lexicon
from llm_audit.vocabulary import Category, Stakes


def test_rasch_recovers_difficulty_and_ability():
    rng = np.random.default_rng(5)
    difficulty, ability = rng.normal(0, 1, 400), np.linspace(-1.5, 1.5, 25)
    p = 1 / (1 + np.exp(difficulty[:, None] - ability[None, :]))
    outcomes = (rng.uniform(size=p.shape) < p).astype(float)
    outcomes[rng.uniform(size=p.shape) < 0.1] = np.nan
    found_difficulty, found_ability = rasch.fit(outcomes)
    assert np.corrcoef(found_difficulty, difficulty)[0, 1] > 0.85
    assert np.corrcoef(found_ability, ability)[0, 1] > 0.98
    assert found_difficulty.mean() == pytest.approx(0, abs=1e-6)


def test_rasch_stays_finite_where_everyone_succeeds():
    difficulty, ability = rasch.fit(np.ones((5, 3)))
    assert np.isfinite(difficulty).all()
    assert np.isfinite(ability).all()


def test_ridge_solves_its_normal_equations():
    design = ridge.Design.of(["a b", "b c", "c d", "a d e", "e f 1"])
    target = np.array([1.0, -1, 2, 0, 3])
    weight = np.array([1.0, 2, 1, 1, 3])
    column = ridge.fit(design, target, weight=weight, penalty=0.5, dense_penalty=4.0, rounds=500)
    sparse, raw, _ = column
    residual = weight * (target - design.predict(column))
    left, right = design.transposed(residual)
    assert left == pytest.approx(0.5 * sparse, abs=1e-4)
    assert right == pytest.approx(4.0 * raw * design.spread, abs=1e-4)


def test_an_infinite_penalty_silences_the_structure():
    design = ridge.Design.of(["a b", "b c", "c d"])
    _, dense, _ = ridge.fit(design, np.array([1.0, 2, 3]), weight=np.ones(3), penalty=1.0, dense_penalty=np.inf)
    assert dense == pytest.approx(0, abs=1e-6)


def test_word_vectors_carry_a_weight_to_words_never_seen():
    """Two groups of words point opposite ways; a word that training lacks follows its group."""
    said = ["apple", "pear", "plum", "bolt", "nut", "gear"]
    vectors = np.zeros((WORD_BUCKETS, 2))
    vectors[buckets_numpy(*pack(said))[1]] = [[1.0, 0.2]] * 3 + [[-1.0, 0.2]] * 3
    design = ridge.Design.of(["apple", "pear", "bolt", "nut"], vectors)
    assert design.meaning[:, 0].tolist() == [1.0, 1.0, -1.0, -1.0]
    target = np.array([1.0, 1, -1, -1])
    sparse, _, _ = column = ridge.fit(
        design, target, weight=np.ones(4), penalty=1.0, dense_penalty=np.inf, vector_penalty=1.0, rounds=500
    )
    plum, gear = sparse[buckets_numpy(*pack(["plum", "gear"]))[1]]
    assert plum == pytest.approx(-gear)
    assert plum > 0.2
    # by hand: w = words' own weight, m = the vector's; both pull, the vector four times as hard
    assert design.predict(column) == pytest.approx(target * 5 / 6, abs=1e-6)
    without, _, _ = ridge.fit(design, target, weight=np.ones(4), penalty=1.0, dense_penalty=np.inf, rounds=500)
    assert without[buckets_numpy(*pack(["plum", "gear"]))[1]] == pytest.approx(0, abs=1e-9)


def test_the_written_asks_and_the_read_kinds_are_of_known_kinds():
    asks, read = data.shipped("asks.csv"), data.shipped("arena_hard_kinds.csv")
    assert set(asks["kind"]) <= set(heads.KINDS)
    assert set(read["kind"]) <= set(heads.KINDS)
    assert asks["prompt"].is_unique().all()
    assert read["prompt_id"].is_unique().all()
    assert asks["level"].is_between(-4, 1).all()


def test_the_written_prompts_have_known_kinds_languages_and_stakes():
    prompts = data.shipped("prompts.csv")
    assert set(prompts["kind"]) == set(heads.KINDS)
    assert set(prompts["language"]) == set(language.VALIDATED)
    assert set(prompts["stakes"]) == {"none", *Stakes}
    assert prompts["prompt"].is_unique().all()
    assert prompts["level"].is_between(-5, 2).all()


def test_no_held_out_prompt_is_trained_on():
    held_out = pl.read_csv(Path(__file__).parents[2] / "scripts" / "data" / "held_out_prompts.csv")
    assert not set(held_out["prompt"]) & {*data.shipped("prompts.csv")["prompt"], *data.shipped("asks.csv")["prompt"]}


def test_a_glossary_word_has_the_vector_and_the_language_it_is_given():
    known = lexicon(small_items())
    keys = dict(zip(known.keys.tolist(), known.evidence.tolist(), strict=True))
    assert all(len(row) == len(language.NAMES) + len(Stakes) for row in keys.values())
    assert vectors.glossary()["übersetze"] == "translate"


def test_anchors_are_filled_repeatable_and_of_known_kinds():
    first, second = list(anchors.anchors()), list(anchors.anchors())
    assert first == second
    assert {anchor.kind for anchor in first} <= set(heads.KINDS)
    assert not [anchor for anchor in first if "{s}" in anchor.prompt or "{t}" in anchor.prompt]
    assert len({anchor.prompt for anchor in first}) > 0.9 * len(first)


def small_items():
    """A few prompts of every kind, with graded exam questions and a mixture of all kinds."""
    some = list(anchors.anchors())[::15]
    exam = [f"How many {'steps ' * (i % 7)}does question {i} take?\nA. 3\nB. 5" for i in range(60)]
    prompts = [a.prompt for a in some] + exam + [a.prompt.upper() for a in some[::9]]
    mixed = len(prompts) - len(some) - len(exam)
    graded = np.array([float(i % 7) - 3 for i in range(60)])
    level = np.concatenate([[a.level for a in some], graded - 1.5, np.full(mixed, -1.0)])
    return data.Items(
        source=np.array([f"anchors:{a.rule}" for a in some] + ["exam"] * 60 + ["asks"] * mixed),
        group=np.array([a.kind for a in some] + ["exam"] * 60 + ["mixed"] * mixed),
        language=np.full(len(prompts), "en"),
        prompt=np.array(prompts, object),
        kind=np.array([a.kind for a in some] + ["facts"] * 60 + [a.kind for a in some[::9]]),
        stakes=np.full(len(prompts), "none"),
        level=level,
        within=np.concatenate([np.full(len(some), np.nan), graded, np.full(mixed, np.nan)]),
        weight=np.ones(len(prompts)),
        level_weight=np.ones(len(prompts)),
    )


def test_training_is_the_same_to_the_byte_and_learns_what_is_in_it():
    content = weights.train(small_items(), lexicon(small_items()))
    assert content == weights.train(small_items(), lexicon(small_items()))
    classifier = Classifier.read(io.BytesIO(content))
    short, long = classifier.judge(
        [f"How many {more}does question 3 take?\nA. 3\nB. 5" for more in ("", "steps steps steps steps steps ")]
    ).difficulty
    assert long > short + 0.3
    assert classifier.slope[list(heads.KINDS).index("facts")] > 0
    assert classifier.slope[list(heads.KINDS).index("writing")] == 0


@pytest.mark.parametrize(
    ("setting", "effort"),
    [
        (None, ""),
        ("0-shot", ""),
        ("2 tries, diff format; high", "high"),
        ("effort=none; no thinking", "none"),
        ("32k thinking budget", "thinking"),
        ("Reasoning On", "thinking"),
        ("Non-Thinking mode", "none"),
    ],
)
def test_the_effort_a_setting_names(setting, effort):
    assert abilities.effort(setting) == effort


def scores(true, *, benchmarks=12, seed=2):
    """Scores of models with known abilities on benchmarks with known lines, all of one category each."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(benchmarks):
        category = list(Category)[k % 4].value
        slope, level = rng.uniform(0.7, 0.9), rng.normal(0, 0.7)
        rows += [
            {
                "model_id": m,
                "effort": "",
                "benchmark": f"b{k:02}",
                "category": category,
                "y": slope * (a - level) + rng.normal(0, 0.1),
            }
            for m, a in true.items()
        ]
    return pl.DataFrame(rows)


def test_abilities_are_recovered_relative_to_the_reference():
    true = {"gpt-4o-mini": 0.3, "small": -1.0, "large": 1.5, "middle": 0.8}
    found = {(row.model_id, row.category): row for row in abilities.fit(scores(true))}
    assert found["gpt-4o-mini", Category.CODE].ability == 0
    for model, ability in true.items():
        assert found[model, Category.MATH].ability == pytest.approx(ability - 0.3, abs=0.35)
    measured, unmeasured = found["large", Category.CODE], found["large", Category.WRITING]
    assert measured.sd < unmeasured.sd
    assert (measured.scores, unmeasured.scores) == (3, 0)
    assert unmeasured.source.startswith("prior")


def test_an_effort_shifts_all_categories_and_needs_scores():
    table = scores({"gpt-4o-mini": 0.0, "m": 1.0})
    low = table.filter(pl.col("model_id") == "m").with_columns(effort=pl.lit("low"), y=pl.col("y") - 1.0)
    once = table.filter(pl.col("model_id") == "m").head(1).with_columns(effort=pl.lit("max"))
    found = abilities.fit(pl.concat([table, low, once]))
    by_effort = {row.effort: row for row in found if row.model_id == "m" and row.category is Category.CODE}
    assert set(by_effort) == {"", "low"}
    assert by_effort["low"].ability < by_effort[""].ability - 0.3


def test_the_catalogue_shows_who_is_better_at_what():
    """Phi-4 beats GPT-4o at mathematics and not at facts; R1 beats Phi-4-reasoning; Haiku 4.5 stands below Opus 4.1 in
    reasoning and above GPT-4o in code."""
    from importlib import resources

    table = pl.read_csv(
        resources.files("llm_audit.catalog").joinpath("abilities.csv").read_bytes(), infer_schema_length=None
    )
    pooled = table.filter(pl.col("effort").is_null())

    def ability(model, category):
        row = pooled.row(by_predicate=(pl.col("model_id") == model) & (pl.col("category") == category), named=True)
        assert row["scores"] > 0
        assert row["source"]
        assert 0 < row["sd"] < 0.7
        return row["ability"]

    assert ability("phi-4", "math") > ability("gpt-4o", "math")
    assert ability("phi-4", "knowledge") < ability("gpt-4o", "knowledge") - 0.5
    assert ability("phi-4-reasoning", "math") < ability("deepseek-r1", "math")
    assert ability("claude-haiku-4-5", "reasoning") < ability("claude-opus-4-1", "reasoning")
    assert ability("claude-haiku-4-5", "code") > ability("gpt-4o", "code")


def test_word_vectors_are_read_from_the_files_of_a_wheel(tmp_path, monkeypatch):
    """Two tokens of known numbers; a word of both has their mean. Expected: centred, mean squared length one."""
    folder = tmp_path / "wordllama"
    (folder / "weights").mkdir(parents=True)
    (folder / "tokenizers").mkdir()
    vocabulary = {"▁": 0, "▁sun": 1, "▁moon": 2, "day": 3}
    (folder / "tokenizers" / "l2_supercat_tokenizer_config.json").write_text(
        json.dumps({"model": {"vocab": vocabulary}})
    )
    numbers = np.array([[9, 9], [3, 0], [0, 1], [1, 2]], "<f2")
    header = json.dumps({"e": {"dtype": "F16", "shape": [4, 2], "data_offsets": [0, 16]}, "__metadata__": {}}).encode()
    (folder / "weights" / "l2_supercat_256.safetensors").write_bytes(
        len(header).to_bytes(8, "little") + header + numbers.tobytes()
    )
    monkeypatch.setattr(vectors, "distribution", lambda _: SimpleNamespace(locate_file=lambda name: tmp_path / name))
    ranks = {b" moon": 0, b" Sun": 1, b" sunday": 2, b"sun": 3, b" x1": 4}
    found = vectors.load(ranks)
    rows = buckets_numpy(*pack(["moon", "sun", "sunday"]))[1]
    raw = np.array([[0, 1], [3, 0], [2, 1]], np.float64)
    centred = raw - raw.mean(axis=0)
    assert found[rows] == pytest.approx(centred / np.sqrt((centred**2).sum(axis=1).mean()))
    assert np.count_nonzero(found.any(axis=1)) == 3
