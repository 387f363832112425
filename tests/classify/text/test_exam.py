"""What the form of an exam item does to its difficulty."""

import math

import numpy as np
import pytest

from llm_audit.classify import Classifier
from llm_audit.classify.text.exam import in_form, statements
from llm_audit.vocabulary import Category

TWO = (
    "Which are true?\nStatement 1 | Snow is white.\nStatement 2 | Grass is red.\n"
    "A. Both\nB. Neither\nC. The first\nD. The second"
)
ONE = "Which is true of snow and grass?\nA. Snow is white\nB. Grass is red\nC. Both\nD. Neither"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (TWO, 2),
        (ONE, 1),
        ("Case 1: rain. Case 2: sun. Case 3: snow.", 3),
        ("Consider: I. All cats sleep. II. Some cats purr. III. No cat barks.", 3),
        ("Scenario 1 | I lied. Scenario 2 | I told the truth.", 2),
        ("Chapter 1 and chapter 2 of the book", 1),
        ("I. Newton was born in 1643.", 1),
        (" ".join(f"Claim {i}: x." for i in range(1, 9)), 4),
        ("", 1),
    ],
)
def test_statements_put_to_judge(text, count):
    assert statements(text) == count


def test_the_form_by_hand():
    """One statement at logit 1 of four: p = .731, with guessing .798; two at once: .534, with guessing .651."""
    found = in_form(np.array([-1.0, -1.0, -1.0]), np.array([4.0, 4.0, 0.0]), [*map(str.encode, (ONE, TWO, TWO))])
    p = 1 / (1 + math.exp(-1))
    for value, right in zip(found[:2], (0.25 + 0.75 * p, 0.25 + 0.75 * p * p), strict=True):
        assert value == pytest.approx(math.log((1 - right) / right))
    assert found[2] == -1.0


def test_two_statements_at_once_are_harder_than_one():
    classifier = Classifier.load()
    judged = classifier.judge([ONE, TWO])
    assert judged.difficulty[1] > judged.difficulty[0] + 0.3
    assert {list(Category)[code] for code in judged.category.tolist()} == {Category.KNOWLEDGE}
