import socket

import pytest
from tests.pricing.build import at, call, ledger

from llm_audit.pricing import PriceBook, price
from llm_audit.tokens.count import count_text


def test_prices_and_token_counts_never_touch_the_network(monkeypatch):
    def refuse(*_, **__):
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    priced = price(ledger(call("openai", "gpt-4o", at(2026, 1, 1), input=1, output=1)), PriceBook())
    assert priced["cost_pico"].to_list() == [12_500_000]
    assert count_text("hello world", "gpt-4o") == 2
