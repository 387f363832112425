import pytest

from llm_audit.classify.known import known_sets, nearest
from llm_audit.vocabulary import Category


def test_known_sets_go_from_easy_to_hard():
    levels = [one.level for one in known_sets()]
    assert levels == sorted(levels)
    assert (min(levels) < -2, max(levels) > 2) == (True, True)


@pytest.mark.parametrize(
    ("difficulty", "category", "example"),
    [
        (-2.0, Category.CODE, "a HumanEval task"),
        (-2.9, Category.MATH, "a GSM8K word problem"),
        (1.0, Category.CODE, "a LiveCodeBench problem"),
        (4.2, None, "a FrontierMath problem"),
        (-9.0, None, "a GSM8K word problem"),
    ],
)
def test_the_nearest_known_set(difficulty, category, example):
    assert nearest(difficulty, category).example == example


def test_a_far_set_of_the_category_yields_to_a_near_one_of_another():
    assert nearest(4.0, Category.WRITING).category is not Category.WRITING
