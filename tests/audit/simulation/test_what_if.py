"""What-ifs: exactly the requests asked for move, at the prices of the other model, and what stays is explained.

1,000 input and 200 output tokens cost $0.0045 on gpt-4o, $0.00072 on gpt-4.1-mini and $0.00027 on gpt-4o-mini.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.audit.build import assumed, catalog, ledger, rows

from llm_audit.audit.options import AuditOptions
from llm_audit.audit.simulate import simulate
from llm_audit.audit.simulation.what_if import Condition, WhatIf
from llm_audit.document.audit import PolicyResult
from llm_audit.errors import UsageError
from llm_audit.pricing import PriceBook

LOG = [
    *({"app": "search", "difficulty": 4.0, "conversation": number} for number in range(6)),
    *({"app": "chat", "difficulty": 4.0, "conversation": 100 + number, "tags": "customer=acme"} for number in range(4)),
    {"app": "search", "model": "gpt-4.1-mini", "conversation": 200},
]


def asked(tmp_path, *moves: str, where: tuple[str, ...] = (), log=LOG, known=None) -> list[PolicyResult]:
    known = known or catalog()
    conditions = [Condition.parse(text) for text in where]
    done = simulate(
        ledger(tmp_path, rows(*log)),
        [assumed()],
        catalog=known,
        book=PriceBook(),
        options=AuditOptions(),
        what_ifs=[WhatIf.parse(text, conditions, catalog=known) for text in moves],
    )
    return done.policies[1:]


def test_all_requests_of_a_model_move_however_hard(tmp_path):
    (found,) = asked(tmp_path, "gpt-4o=gpt-4o-mini")
    assert found.name == "gpt-4o=gpt-4o-mini"
    assert (found.moved_requests, found.reason) == (10, None)
    assert Decimal(found.flagship_tax) == 10 * (Decimal("0.0045") - Decimal("0.00027"))
    # 10 on gpt-4o-mini, and one that stays on gpt-4.1-mini.
    assert Decimal(found.policy_cost) == Decimal("0.0027") + Decimal("0.00072")
    assert found.lost_answers
    assert found.lost_answers > 0


def test_conditions_limit_what_moves_and_hold_together(tmp_path):
    (search,) = asked(tmp_path / "a", "gpt-4o=gpt-4o-mini", where=("app=search",))
    assert (search.name, search.moved_requests) == ("gpt-4o=gpt-4o-mini where app=search", 6)
    assert Decimal(search.flagship_tax) == 6 * Decimal("0.00423")
    (acme,) = asked(tmp_path / "b", "gpt-4o=gpt-4o-mini", where=("app=chat", "tag:customer=acme"))
    assert acme.moved_requests == 4
    (none,) = asked(tmp_path / "c", "gpt-4o=gpt-4o-mini", where=("app=search", "tag:customer=acme"))
    assert (none.moved_requests, none.flagship_tax, none.reason) == (0, "0.00", "no such request used the model")


def test_a_move_may_cost_more(tmp_path):
    (found,) = asked(tmp_path, "gpt-4.1-mini=gpt-4o")
    assert found.moved_requests == 1
    assert Decimal(found.flagship_tax) == Decimal("0.00072") - Decimal("0.0045")


def test_several_moves_of_one_what_if_are_made_together_and_several_what_ifs_apart(tmp_path):
    both, first, second = asked(
        tmp_path, "gpt-4o=gpt-4o-mini,gpt-4.1-mini=gpt-4o-mini", "gpt-4o=gpt-4o-mini", "gpt-4.1-mini=gpt-4o-mini"
    )
    assert (both.moved_requests, first.moved_requests, second.moved_requests) == (11, 10, 1)
    assert Decimal(both.flagship_tax) == Decimal(first.flagship_tax) + Decimal(second.flagship_tax)


def test_gates_and_prompts_that_nobody_judged_are_reported(tmp_path):
    log = [
        *LOG[:3],
        {"needs_vision": True, "difficulty": 0.0},
        {"needs_vision": True, "difficulty": 0.0},
        {"judged": "abstained", "difficulty": None, "category": None},
    ]
    blind = catalog(gpt_4o_mini={"vision": False})
    (found,) = asked(tmp_path, "gpt-4o=gpt-4o-mini", log=log, known=blind)
    assert found.moved_requests == 3
    assert found.reason == "3 of 6 kept: 2 gated by vision, 1 could not be judged"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpt-4o", "is not a move; write USED=OTHER"),
        ("gpt-4o=", "is not a move"),
        ("gpt-4o=gpt-4o-mni", "does not know the model 'gpt-4o-mni'. Did you mean 'gpt-4o-mini'?"),
        ("gpt-4o=gpt-4o", "sends gpt-4o to itself"),
        ("gpt-4o=gpt-4o-mini,gpt-4o=gpt-4.1-mini", "sends gpt-4o to two models"),
        ("gpt-4o=gpt-4.1-mini,gpt-4.1-mini=gpt-4o-mini", "both from and to gpt-4.1-mini"),
    ],
)
def test_moves_that_cannot_be_made_say_why(text, message):
    with pytest.raises(UsageError) as error:
        WhatIf.parse(text, (), catalog=catalog())
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("app", "is not a condition; write COLUMN=VALUE"),
        ("ap=search", "no column 'ap' for --where. Did you mean 'app'?"),
        ("input_tokens=3", "no column 'input_tokens' for --where"),
    ],
)
def test_conditions_that_cannot_be_met_say_why(text, message):
    with pytest.raises(UsageError) as error:
        Condition.parse(text)
    assert message in str(error.value)


def test_a_value_that_no_request_has_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="No request has app 'serch', which --where asks for. Did you mean 'search'"):
        asked(tmp_path, "gpt-4o=gpt-4o-mini", where=("app=serch",))
