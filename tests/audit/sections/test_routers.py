from __future__ import annotations

from tests.audit.build import rows

from llm_audit.audit.aggregate.addition import add_all
from llm_audit.audit.sections.routers import observed_routers, router_sums
from llm_audit.pricing import PriceBook, price

ROUTER = "arn:aws:bedrock:us-east-1:1:prompt-router/p"


def test_a_router_s_saving_is_against_the_most_expensive_model_it_served():
    frame = rows(
        {"model_requested": ROUTER, "model": "gpt-4o"},
        {"model_requested": ROUTER, "model": "gpt-4o-mini"},
        {"model_requested": ROUTER, "model": "gpt-4o-mini"},
        {},
    )
    book = PriceBook()
    priced, models = price(frame, book), {ROUTER: ["gpt-4.1", "gpt-4o", "gpt-4o-mini"]}
    parts = [router_sums(priced[:2], models, book), router_sums(priced[2:], models, book)]
    [found] = observed_routers(add_all(parts))
    assert (found.router, found.fallback, found.requests, found.requests_elsewhere) == (ROUTER, "gpt-4o", 3, 2)
    assert found.fallback_cost == "0.0135"
    assert found.actual_cost == "0.00504"
    assert found.saved == "0.00846"


def test_a_log_without_routers_has_none():
    book = PriceBook()
    assert observed_routers(router_sums(price(rows({}), book), {}, book)) == []
