"""What is concluded of a text, in words."""

import pytest
from msgspec.structs import replace

from llm_audit.audit.inspect.prompt import NO_CANDIDATE, explain_prompt
from llm_audit.catalog import Catalog
from llm_audit.classify.known import known_sets
from llm_audit.classify.model import Classifier
from llm_audit.policy import Policy, load, parse
from llm_audit.policy.file.model import StakesLimit
from llm_audit.pricing import PriceBook
from llm_audit.vocabulary import Category, Stakes

PAIR = 'name = "pair"\ndecision = "{}"\n{}\n[ladders]\nours = ["gpt-4o-mini", "gpt-4o"]\n'
LOSS = "max_quality_loss = {}\nmin_success = {}\nlost_answer_usd = {}"


@pytest.fixture(scope="module")
def classifier():
    return Classifier.load()


def explained(text: str, classifier: Classifier, policy: Policy):
    return explain_prompt(text, classifier, policy=policy, catalog=Catalog.load(), book=PriceBook())


def pair(*, limit: float = 4.0, success: float = 0.5, lost_usd: float = 0.0) -> Policy:
    return parse(PAIR.format("quality_loss", LOSS.format(limit, success, lost_usd)), where="pair.toml")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order 4711? It should have arrived on Monday.", "English"),
        ("Wann kommt mein Paket an?", "German"),
        ("領収書をもう一度送ってください。", "Japanese"),
        ("Prove that the square root of 2 is irrational.", "English"),
        ("Migrate our 84-module Java 8 monolith to Java 21, keeping the build green at every step.", "English"),
    ],
)
def test_the_summary_says_kind_language_and_a_known_example(classifier, text, language):
    found = explained(text, classifier, pair())
    kind = found.category.replace("_", " ")
    assert found.example is not None
    assert found.summary.startswith(("A ", "An "))
    assert f"{kind} request in {language}" in found.summary
    assert found.summary.endswith(f"{found.example.comparison} {found.example.example}.")


def test_the_example_is_near_or_beyond_the_scale(classifier):
    levels = {known.example: known.level for known in known_sets()}
    for text in ("hi there", "Prove that every finite group of order p^2 is abelian and classify them."):
        example, difficulty = (found := explained(text, classifier, pair())).example, found.difficulty
        assert example is not None
        assert difficulty is not None
        assert example.level == levels[example.example]
        if example.comparison == "easier than":
            assert difficulty < min(levels.values())
        else:
            assert abs(difficulty - example.level) <= 0.75


@pytest.mark.parametrize(
    ("policy", "moves", "words"),
    [
        (pair(limit=99, success=0.0), True, "succeeds on"),
        (pair(limit=0, success=0.0), False, "answers in 100 (at most 0)"),
        (pair(limit=99, success=1.0), False, "(at least 100%)"),
        (pair(limit=99, success=0.0, lost_usd=100.0), False, "saves less than its repeats and lost answers cost"),
        (parse(PAIR.format("p_suffices", "target = 0.9999"), where="pair.toml"), False, "(at least 99.99%)"),
    ],
)
def test_a_choice_says_why(classifier, policy, moves, words):
    found = explained("Which treaty ended the Thirty Years' War, and in which two towns?", classifier, policy)
    (choice,) = found.choices
    assert (choice.family, choice.used, choice.moves) == ("ours", "gpt-4o", moves)
    assert choice.model == ("gpt-4o-mini" if moves else "gpt-4o")
    assert words in choice.reason


def test_every_limit_that_a_candidate_misses_is_named(classifier):
    text = "Which treaty ended the Thirty Years' War, and in which two towns?"
    (choice,) = explained(text, classifier, pair(limit=0, success=1.0, lost_usd=100.0)).choices
    assert choice.reason.startswith("gpt-4o-mini loses ")
    first, _, last = choice.reason.partition(" and saves")
    assert last == " less than its repeats and lost answers cost"
    assert "(at most 0), succeeds on" in first
    assert first.endswith("(at least 100%)")


def test_the_stricter_limit_of_stakes_is_named(classifier):
    policy = pair(limit=99, success=0.0)
    strict = StakesLimit(keep=False, max_quality_loss=0.0, min_success=1.0)
    text = "Mein Vermieter hat mir fristlos gekündigt. Welche Rechte habe ich?"
    (choice,) = explained(text, classifier, replace(policy, stakes={Stakes.LEGAL: strict})).choices
    assert "(at most 0 with legal stakes) and succeeds on" in choice.reason
    assert choice.reason.endswith("(at least 100% with legal stakes)")
    keep = StakesLimit(keep=True, max_quality_loss=None, min_success=None)
    (choice,) = explained(text, classifier, replace(policy, stakes={Stakes.LEGAL: keep})).choices
    assert choice.reason == "gpt-4o-mini may not replace the model used with legal stakes"


def test_a_bound_on_readers_preference_is_named(classifier):
    policy = replace(pair(limit=99, success=0.0), max_preference_gap={category.value: 0.0 for category in Category})
    (choice,) = explained("Name three rivers.", classifier, policy).choices
    assert choice.reason.startswith("gpt-4o-mini is preferred less by ")
    assert choice.reason.endswith("of readers (at most 0%)")


def test_a_model_without_a_cheaper_one_stays(classifier):
    policy = replace(pair(), ladders={"alone": ("gpt-4o",)})
    assert explained("Say hello to Anna.", classifier, policy).choices[0].reason == NO_CANDIDATE


def test_each_family_of_the_catalogue_has_a_choice(classifier):
    found = explained("Where is my order 4711?", classifier, load("small-by-default"))
    assert {"claude", "gemini", "gpt"} <= {choice.family for choice in found.choices}
    assert all(choice.model != choice.used for choice in found.choices if choice.moves)


def test_stakes_are_named(classifier):
    found = explained("Mein Vermieter hat mir fristlos gekündigt. Welche Rechte habe ich?", classifier, pair())
    assert found.stakes == "legal"
    assert "with legal stakes" in found.summary


def test_what_is_not_judged_says_why_and_chooses_nothing(classifier):
    found = explained("", classifier, pair())
    assert found.summary == "Not judged: no text."
    assert found.choices == []
