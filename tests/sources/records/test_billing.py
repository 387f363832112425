"""What is billed beside tokens, costs as logs state them, and rows that stand for many requests."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.sources.entry import Request, Usage
from llm_audit.sources.records.billing.aggregates import shared_out
from llm_audit.sources.records.billing.costs import cost_of_usage, set_stated, stated
from llm_audit.sources.records.billing.fees import read_grounding_fees, read_responses_fees, read_search_fees
from llm_audit.sources.records.column_names import columns_of

CENT = 10**10


@pytest.mark.parametrize(
    ("given", "pico"),
    [
        (0.01, CENT),
        ("0.01", CENT),
        ("$0.01", CENT),
        ("0.01 USD", CENT),
        ("USD 0.01", CENT),
        ("US$ 0.01", CENT),
        ("$0.01 USD", CENT),
        ("0,01 $", CENT),
        ("1e-2", CENT),
        ("1 cent", CENT),
        ("1¢", CENT),
        ("10000 microdollars", CENT),
        ("$1,234.56", 123_456 * CENT),
        ("1.234,56 USD", 123_456 * CENT),
        ("$0", 0),
        ({"total_cost": 0.01, "request_cost": 0.005}, CENT),
        ('{"total": "0.01"}', CENT),
        ({"input_cost": 0.004, "output_cost": 0.006}, CENT),
        ({"input": 0.004, "output": 0.005, "cacheRead": 0.001, "currency": "USD"}, CENT),
        ({"inputCost": 0.004, "outputCost": "$0.006"}, CENT),
        ({"input": 0.004, "output": 0.005, "cached": 0.001}, CENT),
        ({"upstream_inference_cost": 0.01, "upstream_inference_prompt_cost": 0.004, "completions_cost": 0.006}, CENT),
        ("USD 1 cent", CENT),
        ("USD 10000 microdollars", CENT),
        ("1 cent USD", CENT),
        ({"total": 0.01, "currency": "USD"}, CENT),
        ({"amount": 1, "unit": "cents"}, CENT),
        ({"total_cents": 1}, CENT),
        ({"currency_code": "USD", "units": "1", "nanos": 10_000_000}, 101 * CENT),
        (True, None),
        (-1, None),
        ("Included", None),
        ("n/a", None),
        ("", None),
        (float("nan"), None),
        ("1e999999", None),
        ("1e999999 cents", None),
        ([0.01], None),
    ],
)
def test_a_stated_cost_is_dollars_in_any_shape_or_unknown(given: object, pico: int | None) -> None:
    assert stated(given) == (pico, "")


@pytest.mark.parametrize(
    ("given", "left_out"),
    [
        ({"total": 0.01, "currency": "EUR"}, "cost in EUR"),
        ({"input_cost": 0.004, "output_cost": 0.006, "currency": "cny"}, "cost in CNY"),
        ({"total_eur": 0.01}, "cost in EUR"),
        ({"units": "1", "nanos": 0, "currencyCode": "GBP"}, "cost in GBP"),
        ("0,01 €", "cost in EUR"),
        ("€0.01", "cost in EUR"),
        ("CA$0.01", "cost in CA$"),
        ("$0.01 CAD", "cost in CAD"),
        ("CAD $0.01", "cost in CAD"),
        ("¥1", "cost in yen or yuan"),
        ("3 credits", "cost in credits"),
        ("1.5 Premium Requests", "cost in premium requests"),
        ("$1,234", "cost that is no plain amount"),
        ("-$0.01", "cost that is no plain amount"),
        (-0.01, "cost that is no plain amount"),  # of a refund
        ("-0.01", "cost that is no plain amount"),
        ("< $0.01", "cost that is no plain amount"),
        ("2 of 10 things", "cost that is no plain amount"),
        ("7 my secret prompt", "cost in an unknown unit"),
    ],
)
def test_a_cost_that_is_not_in_dollars_or_unclear_says_so(given: object, left_out: str) -> None:
    assert stated(given) == (None, left_out)


@pytest.mark.parametrize(
    "usage",
    [
        {"cost_in_usd_ticks": 100_000_000},
        {"cost": 0.01},
        {"cost": {"total": "$0.01"}},
        {"costInCents": 1},
        {"total_cost": 0.01},
    ],
)
def test_a_usage_states_its_cost(usage: dict[str, Any]) -> None:
    assert cost_of_usage(usage) == CENT


@pytest.mark.parametrize(
    ("currency", "pico"),
    [(None, CENT), ("usd", CENT), ("$", CENT), ("USD", CENT), ("CNY", None), ("eur", None), ("credits", None)],
)
def test_another_currency_is_left_out_and_named(currency: str | None, pico: int | None) -> None:
    record = {"cost": "0.01", "currency": currency}
    request = Request(model="m", usage=Usage(input_tokens=1))
    set_stated(request, record, columns_of(record))
    assert request.stated_cost_pico == pico
    assert (request.usage.unread_counts is None) == (pico is not None)


@pytest.mark.parametrize(
    ("column", "cell", "currency", "pico", "unread"),
    [
        ("Cost (USD)", "0.01", None, CENT, None),
        ("Cost ($)", "0.01", None, CENT, None),
        ("estimatedCostUsd", "0.01", None, CENT, None),
        ("cost", "1", "cents", CENT, None),
        ("cost_cents", "1", None, CENT, None),
        ("costInCents", 1, None, CENT, None),
        ("cost_in_usd_cents", 1.0, None, CENT, None),
        ("cost_cents", "1 cent", None, CENT, None),
        ("total_cost_cents", "1", "USD", CENT, None),
        ("cost_micros", 10_000, None, CENT, None),
        ("costMicroUsd", 10_000, None, CENT, None),
        ("cost_nanos", 10_000_000, None, CENT, None),
        ("cost_usd_ticks", 100_000_000, None, CENT, None),
        ("cost_nanos", 10_000_000, "CNY", None, "cost in CNY"),
        ("cost_cents", "$0.01", None, None, "cost in an unknown unit"),
        ("Total Cost (EUR)", "0.01", None, None, "cost in EUR"),
        ("Cost (€)", "0,01", None, None, "cost in EUR"),
        ("Cost (¢)", "1", None, CENT, None),
        ("cost_cny", "0.01", None, None, "cost in CNY"),
        ("cost_credits", 3, None, None, "cost in credits"),
        ("cost_cny", 0, None, None, None),
    ],
)
def test_a_column_names_the_unit_of_its_cost(
    column: str, cell: object, currency: str | None, pico: int | None, unread: str | None
) -> None:
    record = {"model": "m", column: cell, "currency": currency}
    request = Request(model="m", usage=Usage(input_tokens=1))
    set_stated(request, record, columns_of(record))
    assert (request.stated_cost_pico, request.usage.unread_counts) == (pico, unread)


@pytest.mark.parametrize(
    ("cells", "pico", "unread"),
    [
        ({"input_cost": 0.004, "output_cost": 0.006}, CENT, None),
        ({"prompt_cost": "0.004", "completionCost": "$0.006"}, CENT, None),
        ({"Input Cost (USD)": 0.003, "cached_cost": 0.001, "output_cost_usd": 0.006}, CENT, None),
        ({"cost_input": 0.003, "cost_cache_write": 0.001, "cost_output": 0.006}, CENT, None),
        ({"input_cost_cents": 0.4, "output_cost_cents": 0.6}, CENT, None),
        ({"input_cost": 0.4, "output_cost": 0.6, "currency": "cents"}, CENT, None),
        ({"input_cost": 0.004, "prompt_cost": 0.004, "output_cost": 0.006}, CENT, None),  # one cost by two names
        ({"input_cost": 0.004, "output_cost": 0.006, "total_cost": 0.01}, CENT, None),
        ({"input_cost": 0.5, "output_cost": 0.5, "cost_cents": 1}, CENT, None),
        ({"input_cost": 0.004, "output_cost": None}, None, None),
        ({"input_cost": 0.004, "output_cost": "n/a"}, None, None),
        ({"input_cost": 0.004, "output_cost": 0.006, "currency": "EUR"}, None, "cost in EUR"),
        ({"input_cost_eur": 0.004, "output_cost": 0.006}, None, "cost in EUR"),
        ({"input_cost_per_token": 0.004, "output_cost_per_token": 0.006}, None, None),
        ({"cost": {"input": 0.004, "output": 0.005, "of_which": 0.001}}, None, "cost that is no plain amount"),
        ({"input_cost": 0.004, "output_cost": 0.006, "search_cost": 0.01}, None, "cost that is no plain amount"),
        ({"input_cost": 0.004, "output_cost": 0.006, "search_cost": 0}, CENT, None),
        ({"input_cost": 2.5, "output_cost": 10}, None, "cost that is no plain amount"),  # prices of a million tokens
        ({"price": 2.5}, None, "cost that is no plain amount"),
        ({"price": 0.01}, CENT, None),
        ({"cost": 1, "price": 2.5}, 100 * CENT, None),  # which may be for what else was done
        ({"price": None, "cost_cents": 250}, 250 * CENT, None),
    ],
    ids=str,
)
def test_a_cost_in_parts_is_their_sum(cells: dict[str, Any], pico: int | None, unread: str | None) -> None:
    record = {"model": "m", **cells}
    request = Request(model="m", usage=Usage(input_tokens=100))
    set_stated(request, record, columns_of(record))
    assert (request.stated_cost_pico, request.usage.unread_counts) == (pico, unread)


@pytest.mark.parametrize(
    ("price", "tokens", "is_cost"),
    [
        (2.5, 9_000, False),  # dollars a million tokens
        ("0.15", 2_000, False),
        (10, 100_000, False),
        (0.03, 10_000, True),
        (0.1234, 2_000, True),  # as no price is written
        (0.05, 500, True),  # with a fee
        (0.25, 9_000, True),
    ],
)
def test_a_price_of_few_digits_beside_thousands_of_tokens_is_that_of_a_million(
    price: object, tokens: int, *, is_cost: bool
) -> None:
    record = {"model": "m", "price": price}
    request = Request(model="m", usage=Usage(input_tokens=tokens))
    set_stated(request, record, columns_of(record))
    assert (request.stated_cost_pico is not None, request.usage.unread_counts is None) == (is_cost, is_cost)


@pytest.mark.parametrize("model", ["claude-opus-4-1", "o1-pro-2025-03-19", "openai/gpt-4.5-preview", "gpt-5.2-pro"])
def test_a_short_price_that_a_model_may_cost_is_kept(model: str) -> None:
    record = {"model": model, "price": 0.152}
    request = Request(model=model, usage=Usage(input_tokens=100, output_tokens=2_000))
    set_stated(request, record, columns_of(record))
    assert (request.stated_cost_pico, request.usage.unread_counts) == (152 * CENT // 10, None)


@pytest.mark.parametrize(
    "request_",
    [
        Request(model="m", usage=Usage(input_tokens=1_500, tool_calls_billed=10)),
        Request(model="m", service_tier="fast", usage=Usage(input_tokens=1_500)),
    ],
)
def test_a_short_price_with_fees_or_of_faster_output_is_kept(request_: Request) -> None:
    record = {"model": "m", "price": 0.11}
    set_stated(request_, record, columns_of(record))
    assert request_.stated_cost_pico == 11 * CENT


@pytest.mark.parametrize(
    "model", ["gemini-3-pro-image-preview", "dall-e-3", "openai/gpt-image-1", "whisper-1", "imagen-4.0-generate-001"]
)
def test_a_model_billed_by_the_unit_needs_no_operation_for_its_price(model: str) -> None:
    record = {"model": model, "price": 0.04}
    request = Request(model=model, usage=Usage(input_tokens=20))
    set_stated(request, record, columns_of(record))
    assert (request.stated_cost_pico, request.usage.unread_counts) == (4 * CENT, None)


def test_an_image_may_cost_more_than_its_tokens_tell() -> None:
    record = {"model": "m", "price": 0.04}
    request = Request(model="m", operation="image", usage=Usage(input_tokens=20))
    set_stated(request, record, columns_of(record))
    assert (request.stated_cost_pico, request.usage.unread_counts) == (4 * CENT, None)


@given(st.integers(0, 9 * 10**18), st.sampled_from([("", 0), (" cents", 2), (" µUSD", 6), (" nanodollars", 9)]))
def test_an_amount_is_exact_in_every_unit(pico: int, unit: tuple[str, int]) -> None:
    written, places = unit
    assert stated(f"{Decimal(pico).scaleb(places - 12):f}{written}").pico == pico


def billed(read: Any, model: str, *bodies: dict[str, Any]) -> tuple[int | None, str | None]:
    request = Request(model=model)
    read(request, *bodies)
    return request.usage.tool_calls_billed, request.usage.fees_billed


def search(action: str | None) -> dict[str, Any]:
    return {"type": "web_search_call", **({"action": {"type": action}} if action else {})}


@pytest.mark.parametrize(
    ("model", "tools", "output", "expected"),
    [
        ("gpt-5", [], [search("search"), search("open_page"), search("find_in_page"), search(None)], (2, None)),
        ("gpt-5", [], [{"type": "file_search_call"}] * 3, (None, "file_search=3")),
        ("gpt-5", [], [{"type": "code_interpreter_call", "container_id": "c1"}] * 2, (None, "code_session=1")),
        (
            "gpt-5",
            [{"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}],
            [{"type": "code_interpreter_call", "container_id": name} for name in "ab"],
            (None, "code_session=8"),
        ),
        ("gpt-4o", [{"type": "web_search_preview"}], [search("search")], (None, "preview_search=1")),
        ("gpt-5", [{"type": "web_search_preview"}], [search("search")], (1, None)),
        ("gpt-5", [], [{"type": "message"}], (None, None)),
    ],
)
def test_tools_of_responses(model: str, tools: list[Any], output: list[Any], expected: tuple[Any, Any]) -> None:
    assert billed(read_responses_fees, model, {"tools": tools}, {"output": output}) == expected


@pytest.mark.parametrize(
    ("model", "metadata", "expected"),
    [
        ("gemini-3-pro-preview", {"webSearchQueries": ["a", "b"]}, (2, None)),
        ("gemini-2.5-pro", {"webSearchQueries": ["a", "b"]}, (1, None)),
        ("gemini-2.5-pro", {"web_search_queries": ["a"]}, (1, None)),
        ("gemini-2.5-pro", {"groundingChunks": [{"maps": {"uri": "x"}}]}, (None, "maps=1")),
        ("gemini-3-pro-preview", {}, (None, None)),
    ],
)
def test_grounding_is_billed_by_query_or_by_prompt(model: str, metadata: Any, expected: tuple[Any, Any]) -> None:
    assert billed(read_grounding_fees, model, {"candidates": [{"groundingMetadata": metadata}]}) == expected


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"search_context_size": "low"}, (None, None)),
        ({"search_context_size": "high"}, (None, "high_search=1")),
        ({"num_sources_used": 4}, (None, "live_source=4")),
        ({"num_search_queries": 7}, (7, None)),
        (
            {
                "num_sources_used": 4,
                "server_side_tool_usage_details": {
                    "web_search_calls": 1,
                    "x_search_calls": 2,
                    "file_search_calls": 1,
                    "mcp_calls": 5,
                    "document_search_calls": 3,
                    "image_generation_calls": 0,
                },
            },
            (None, "file_search=1,other_tool=3,server_tool=3"),
        ),
    ],
)
def test_search_models_bill_by_context_sources_or_queries(usage: Any, expected: tuple[Any, Any]) -> None:
    assert billed(read_search_fees, "sonar", usage) == expected


def test_xais_own_count_of_tools_comes_before_the_items_of_its_response() -> None:
    usage = {"server_side_tool_usage_details": {"web_search_calls": 2}}
    body = {"output": [search("search"), search("open_page")], "usage": usage}
    assert billed(read_responses_fees, "grok-4.3", {}, body) == (None, "server_tool=2")


@given(st.integers(0, 10**9), st.integers(0, 10**7), st.integers(1, 300))
def test_shares_add_up_to_the_row(given_tokens: int, made: int, count: int) -> None:
    row = Request(model="m", usage=Usage(input_tokens=given_tokens, output_tokens=made), stated_cost_pico=made)
    shares = list(shared_out(row, count))
    assert len(shares) == count
    assert sum(share.usage.input_tokens or 0 for share in shares) == given_tokens
    assert sum(share.usage.output_tokens or 0 for share in shares) == made
    assert sum(share.stated_cost_pico or 0 for share in shares) == made
    assert {share.messages for share in shares} == {None}
