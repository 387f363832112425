from decimal import Decimal

import msgspec
from tests.audit.documents import document, row

from llm_audit.audit.currency import convert
from llm_audit.document.audit import Day, Finding, encode
from llm_audit.pricing.currency import Currency


def test_every_amount_is_converted_once_and_nothing_else() -> None:
    day = Day(
        date="2026-09-01",
        requests=7,
        tokens=9,
        cost="100.00",
        policy_cost="10.00",
        cost_by_tier={"small": "40.00", "frontier": "60.00"},
    )
    finding = Finding(
        kind="route_app",
        title="Move app 12.00",
        detail="saves $12.00",
        action="",
        amount="-12.000000000001",
        low=None,
        high="13.00",
        requests=3,
        subject="app 12.00",
        p_suffices=0.9,
    )
    made = msgspec.structs.replace(document(basis=[row("m", 2, "8.00")]), daily=[day], findings=[finding])
    found = convert(made, Currency("EUR", Decimal("0.5")))
    assert found.currency == "EUR"
    assert found.daily[0].cost_by_tier == {"small": "20.00", "frontier": "30.00"}
    assert (found.daily[0].cost, found.daily[0].requests, found.daily[0].tokens) == ("50.00", 7, 9)
    assert (found.findings[0].amount, found.findings[0].low, found.findings[0].high) == ("-6.00", None, "6.50")
    assert (found.findings[0].title, found.findings[0].subject) == ("Move app 12.00", "app 12.00")
    assert found.basis == made.basis
    assert "0.5 EUR for 1 USD" in str(found.currency_note)


def test_dollars_are_left_alone() -> None:
    made = document()
    assert encode(convert(made, Currency())) == encode(made)
