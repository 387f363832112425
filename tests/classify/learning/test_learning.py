"""Calibration, sampling and explanation."""

import numpy as np
import pytest

from llm_audit.classify import Classifier
from llm_audit.classify.contributions import explain
from llm_audit.classify.learning.calibrate import Outcome, calibrate
from llm_audit.classify.learning.calibration import Calibration
from llm_audit.classify.learning.sampling import sample
from llm_audit.errors import UsageError
from llm_audit.vocabulary import Abstention, Category

FLAT = {"small": np.full(len(Category), -0.5), "large": np.full(len(Category), 1.0)}
TOPICS = ("tariff", "invoice", "roster", "shipment", "pension", "harvest", "voucher", "ledger")


@pytest.fixture(scope="module")
def classifier():
    return Classifier.load()


def outcomes(rows, *, small=lambda _: 1.0):
    prompts = [
        f"What does our {TOPICS[i % 8]} policy number {i} say about {TOPICS[(i // 8) % 8]}?" for i in range(rows)
    ]
    return [
        Outcome(prompt=prompt, model=model, score=score)
        for prompt in prompts
        for model, score in (("large", 1.0), ("small", small(prompt)))
    ]


def test_a_small_model_that_always_succeeds_is_abler_than_thought(classifier):
    found = calibrate(outcomes(100), classifier, FLAT)
    assert found.shift["small"] > 0.5
    assert found.after < found.before
    assert 0 < found.shift_sd["small"] < 0.7


def test_the_words_of_ones_own_traffic_are_learnt(classifier):
    found = calibrate(outcomes(200, small=lambda prompt: 0.0 if "tariff" in prompt else 1.0), classifier, FLAT)
    adapted = found.apply(classifier)
    before = classifier.judge(["our tariff rules", "our harvest rules"]).difficulty
    after = adapted.judge(["our tariff rules", "our harvest rules"]).difficulty
    assert (after - before)[0] > (after - before)[1] + 0.3
    assert adapted.fingerprint != classifier.fingerprint


def test_one_model_is_enough_to_learn_from(classifier):
    only = [o for o in outcomes(120, small=lambda prompt: 0.0 if "tariff" in prompt else 1.0) if o.model == "small"]
    adapted = calibrate(only, classifier, FLAT).apply(classifier)
    tariff, harvest = adapted.judge(["our tariff rules", "our harvest rules"]).difficulty
    assert tariff > harvest


def test_outcomes_in_any_order_teach_the_same(classifier):
    some = outcomes(40)
    one, other = calibrate(some, classifier, FLAT), calibrate(list(some), classifier, FLAT)
    assert np.array_equal(one.weights, other.weights)
    assert one.shift == other.shift


def test_a_calibration_survives_its_file(classifier, tmp_path):
    found = calibrate(outcomes(30), classifier, FLAT)
    found.save(tmp_path / "c.json")
    read = Calibration.load(tmp_path / "c.json")
    text = ["What does our tariff policy number 3 say?"]
    assert read.apply(classifier).judge(text).difficulty == pytest.approx(
        found.apply(classifier).judge(text).difficulty, abs=1e-4
    )
    assert "tariff" not in (tmp_path / "c.json").read_text()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 0, "hash_version": 1}'])
def test_a_file_that_is_no_calibration(tmp_path, content):
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(UsageError, match="calibrat"):
        Calibration.load(tmp_path / "c.json")


def test_a_missing_file_and_other_weights_are_named(classifier, tmp_path):
    with pytest.raises(UsageError, match="Cannot read"):
        Calibration.load(tmp_path / "none.json")
    learnt = calibrate(outcomes(30), classifier, FLAT)
    with pytest.raises(UsageError, match="another version"):
        learnt.apply(learnt.apply(classifier))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([Outcome(prompt="p", model="small", score=1.0)] * 3, "at least 20"),
        ([Outcome(prompt="p", model="small", score=2.0)] * 30, "between 0 and 1"),
        ([Outcome(prompt="p", model="who", score=1.0)] * 30, "no ability"),
        ([Outcome(prompt="", model="small", score=1.0)] * 30, "at least 20"),
    ],
)
def test_outcomes_that_cannot_be_used(classifier, rows, said):
    with pytest.raises(UsageError, match=said):
        calibrate(rows, classifier, FLAT)


def test_a_sample_is_spread_informative_and_never_abstained(classifier):
    kinds = [
        "Write a poem about {}",
        "",
        "Prove that the {} series diverges",
        "Fix this Python function for {}",
        "κβάντα",
    ]
    texts = [kind.format(topic) for topic in TOPICS for kind in kinds]
    judged = classifier.judge(texts)
    picks = sample(judged, 12, small_ability=FLAT["small"], used_ability=FLAT["large"])
    assert len({pick.row for pick in picks}) == 12
    assert {texts[pick.row].split()[0] for pick in picks} == {"Write", "Prove", "Fix"}
    assert all(0 < pick.information <= 0.25 and 0 < pick.suffices < 1 for pick in picks)
    assert len(sample(judged, 999, small_ability=FLAT["small"], used_ability=FLAT["large"])) == 24


def test_dollars_decide_between_prompts_alike(classifier):
    judged = classifier.judge(["Write a poem", "Write a poem", "Write a poem"])
    weight = np.array([1.0, 5.0, 2.0])
    picks = sample(judged, 2, small_ability=FLAT["small"], used_ability=FLAT["large"], weight=weight)
    assert picks[0].row == 1


@pytest.mark.parametrize(
    "text", ["Prove that 17 is prime.", "Write a poem about rain.", "Which?\nA. one\nB. two\nC. $x^2$"]
)
def test_the_reasons_of_an_explanation_add_up(classifier, text):
    found = explain(text, classifier)
    assert found.difficulty == pytest.approx(float(classifier.judge([text]).difficulty[0]))
    assert sum(reason.logits for reason in found.reasons) == pytest.approx(found.difficulty, abs=0.03)
    assert sum(share for _, share in found.kinds) == pytest.approx(1)


def test_an_explanation_names_words_and_what_was_learnt(classifier):
    words = [reason.text for reason in explain("Compute the integral of the polynomial.", classifier).words]
    assert words
    assert set(" ".join(words).split()) <= {"compute", "the", "integral", "of", "polynomial"}
    adapted = calibrate(outcomes(60, small=lambda _: 0.0), classifier, FLAT).apply(classifier)
    assert any("outcomes" in reason.text for reason in explain("What does our tariff policy say?", adapted).reasons)


def test_an_explanation_of_an_abstention(classifier):
    found = explain("κβαντική μηχανική", classifier)
    assert (found.difficulty, found.abstention, found.reasons, found.words) == (None, Abstention.LANGUAGE, [], [])
