from __future__ import annotations

from tests.audit.build import rows

from llm_audit.audit.sections.routers import observed_routers, router_rows
from llm_audit.pricing import PriceBook, price

ROUTER = "arn:aws:bedrock:us-east-1:1:prompt-router/p"


def test_a_router_s_saving_is_against_the_dearest_model_it_served():
    frame = rows(
        {"model_requested": ROUTER, "model": "gpt-4o"},
        {"model_requested": ROUTER, "model": "gpt-4o-mini"},
        {"model_requested": ROUTER, "model": "gpt-4o-mini"},
        {},
    )
    book = PriceBook()
    [found] = observed_routers(router_rows(price(frame, book)), book)
    assert (found.router, found.fallback, found.requests, found.requests_elsewhere) == (ROUTER, "gpt-4o", 3, 2)
    assert found.fallback_cost == "0.0135"
    assert found.actual_cost == "0.00504"
    assert found.saved == "0.00846"


def test_a_log_without_routers_has_none():
    book = PriceBook()
    assert observed_routers(router_rows(price(rows({}), book)), book) == []
