"""What is billed beside tokens, costs as logs state them, and rows that stand for many requests."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.sources.entry import Request, Usage
from llm_audit.sources.records.billing.aggregates import shared_out
from llm_audit.sources.records.billing.costs import cost_of_usage, set_stated, stated_pico
from llm_audit.sources.records.billing.fees import read_grounding_fees, read_responses_fees, read_search_fees
from llm_audit.sources.records.column_names import columns_of

CENT = 10**10


@pytest.mark.parametrize(
    ("stated", "pico"),
    [
        (0.01, CENT),
        ("0.01", CENT),
        ("$0.01", CENT),
        ({"total_cost": 0.01, "request_cost": 0.005}, CENT),
        ('{"total": "0.01"}', CENT),
        ({"input_cost": 0.004, "output_cost": 0.006}, CENT),
        ({"total": 0.01, "currency": "USD"}, CENT),
        ({"total": 0.01, "currency": "EUR"}, None),
        ({"input_cost": 0.004, "output_cost": "n/a"}, None),
        ("0,01 €", None),
        (True, None),
        (-1, None),
    ],
)
def test_a_stated_cost_is_dollars_in_any_shape_or_unknown(stated: object, pico: int | None) -> None:
    assert stated_pico(stated) == pico


def test_ticks_are_ten_billionths_of_a_dollar() -> None:
    assert cost_of_usage({"cost_in_usd_ticks": 100_000_000}) == CENT


@pytest.mark.parametrize(("currency", "pico"), [(None, CENT), ("usd", CENT), ("$", CENT), ("CNY", None), ("eur", None)])
def test_another_currency_is_left_out_and_named(currency: str | None, pico: int | None) -> None:
    request = Request(model="m", usage=Usage(input_tokens=1))
    set_stated(request, "0.01", currency)
    assert request.stated_cost_pico == pico
    assert (request.usage.unread_counts is None) == (pico is not None)


@pytest.mark.parametrize(
    ("column", "pico", "unread"),
    [
        ("Cost (USD)", CENT, None),
        ("Cost ($)", CENT, None),
        ("Total Cost (EUR)", None, "cost in EUR"),
        ("cost_cny", None, "cost in CNY"),
    ],
)
def test_a_column_names_the_currency_of_its_cost(column: str, pico: int | None, unread: str | None) -> None:
    columns = columns_of({"model": "m", column: "0.01"})
    cells = {column: "0.01"}
    request = Request(model="m", usage=Usage(input_tokens=1))
    set_stated(request, cells.get(columns.cost), None, other=(cells.get(columns.other_cost), columns.other_cost))
    assert (request.stated_cost_pico, request.usage.unread_counts) == (pico, unread)


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
