"""Abilities by language reach the decision: the same prompt in another language is another question to a model."""

import numpy as np
import pytest
from tests.audit.build import catalog, rows

from llm_audit.classify import irt
from llm_audit.policy import parse, read_models, route, with_models
from llm_audit.policy.inputs.judge import Judge
from llm_audit.policy.inputs.models import SKILLS
from llm_audit.policy.inputs.requests import read_requests
from llm_audit.pricing import PriceBook, price

HINDI = "hi"


def test_the_success_of_a_model_falls_by_its_shift_in_the_language():
    known = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 0.5})
    models = read_models(known.frame)
    skill = models.skills.index("code@hi")
    assert skill % len(SKILLS) == SKILLS.index("code")
    judge = Judge.of(models, known=np.arange(2))
    small = models.index()["gpt-4o-mini"]
    shift = models.by_language.shift[small, models.by_language.languages.index(HINDI)]
    found = judge.success(np.array([small]), np.array([skill]), np.float32([-1.0]))[0]
    assert shift < -0.5
    assert found == pytest.approx(float(irt.p_success(0.5 + shift, -1.0)), abs=1e-4)


def test_a_request_asks_for_its_category_in_its_language():
    known = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 0.5})
    models, book = read_models(known.frame), PriceBook()
    languages = ("en", "hi", None, "xx")
    frame = with_models(price(rows(*({"category": "code", "language": name} for name in languages)), book), known)
    asked = read_requests(frame, models.index(), models.by_language.languages)
    assert [models.skills[skill] for skill in asked.skill] == ["code", "code@hi", "code", "code"]


def test_a_prompt_that_moves_in_english_may_stay_in_a_language_where_the_small_model_is_weaker():
    known = catalog({"gpt-4o": 2.0, "gpt-4o-mini": 1.0})
    policy = parse('decision = "quality_loss"\nmax_quality_loss = 100\nmin_success = 0.8', where="test policy")
    book = PriceBook()
    priced = price(rows({"difficulty": -1.2, "language": "en"}, {"difficulty": -1.2, "language": "hi"}), book)
    routed = route(priced, policy, catalog=known, book=book)
    assert routed["outcome"].to_list() == ["moved", "no_capable_model"]
    assert routed["skill"].cast(str).str.ends_with("@hi").to_list() == [False, True]
