"""Tool definitions that nothing calls, and tool calls that keep failing."""

from __future__ import annotations

import polars as pl
import pytest
from tests.audit.build import rows
from tests.audit.waste.build import at, found, inputs_of

from llm_audit.audit.waste.tools import add_replies, called_tools, calls, replies
from llm_audit.audit.waste.waste import add_waste, waste, waste_rows

# The definitions have 4,000 of 10,000 characters: 1,000 of 2,500 tokens, half of them for each tool.
OFFERED = {
    "template_hash": 3,
    "tools_offered": "fetch=2000,search=2000",
    "tools_called": "",
    "tools_chars": 4_000,
    "prompt_chars": 6_000,
    "input_tokens": 2_500,
}
CALLED = OFFERED | {"tools_called": "fetch", "calls_tools": True}


def test_a_definition_that_is_never_called_costs_its_tokens_in_each_request():
    assert found(CALLED, *[OFFERED] * 19) == {"unused_tools": (20, 20 * 500 * 2)}
    both = OFFERED | {"tools_called": "fetch,search"}
    assert found(both, *[OFFERED] * 19) == {}
    assert found(CALLED, *[OFFERED] * 18) == {}  # too few to tell


def test_definitions_are_the_first_to_be_read_from_a_cache():
    cached = {"cache_read_tokens": 700, "input_tokens": 1_800}  # 700 of 1,000 tokens of definitions at half the price
    given = [row | cached for row in (CALLED, *[OFFERED] * 19)]
    assert found(*given) == {"unused_tools": (20, 20 * (350 * 1 + 150 * 2))}
    written = [row | {"cache_write_5m_tokens": 600} for row in given]
    # 3,100 tokens were sent; definitions have 1,000 by their length: 700 read, and 300 of those written at 5.
    result = found(*written, cost_cache_write_5m_pico=3_000)
    assert result["unused_tools"] == (20, 20 * (350 * 1 + 150 * 5))


@pytest.mark.parametrize(
    "other",
    [
        {"tools_called": None},  # its reply is not in the log
        {"tools_called": None, "calls_tools": True},
        {"tools_called": "search"},
    ],
)
def test_one_reply_that_calls_or_is_not_known_speaks_for_the_template(other):
    assert found(CALLED, *[OFFERED] * 19, OFFERED | other) == {}


def test_a_failed_request_has_no_reply_to_know():
    failed = OFFERED | {"tools_called": None, "status": "error"}
    assert found(CALLED, *[OFFERED] * 19, failed)["unused_tools"] == (20, 20_000)


def test_a_log_that_leaves_calls_out_is_not_believed():
    answers = OFFERED | {"answers_tools": True, "calls_tools": None}
    assert found(*[OFFERED] * 19, answers) == {}
    assert found(*[OFFERED] * 20) == {"unused_tools": (20, 20 * 1_000 * 2)}


def test_servers_and_tools_are_named_with_their_share():
    offered = "mcp__db__ask=1000,mcp__db__drop=1000,mcp__gh__a=1000,mcp__gh__b=1000"
    given = [CALLED | {"tools_offered": offered, "tools_called": "mcp__db__ask"}] * 20
    (row,) = waste(waste_rows(inputs_of(given)))
    # 250 tokens a tool at 2 pico-dollars in 20 requests.
    assert (row.kind, row.requests, row.amount) == ("unused_tools", 20, "0.00000003")
    assert [(part.name, part.amount) for part in row.parts] == [
        ("gh (MCP server)", "0.00000002"),
        ("mcp__db__drop", "0.00000001"),
    ]


def test_more_than_five_tools_are_five_and_the_others():
    offered = ",".join(f"t{number}=1000" for number in range(8))
    given = [OFFERED | {"tools_offered": offered, "tools_chars": 8_000}] * 20
    (row,) = waste(add_waste(pl.concat([waste_rows(inputs_of(given))] * 2)))
    assert [(part.name, part.others) for part in row.parts[-2:]] == [("t4", 0), (None, 3)]


def test_parts_of_a_log_tell_what_all_of_it_calls():
    frame = rows(CALLED, *[OFFERED] * 19, OFFERED | {"template_hash": 4, "tools_called": None})
    parts = [frame[:7], frame[7:]]
    found_of = [
        called_tools(add_replies([replies(part) for part in some]), pl.concat(map(calls, some)).unique())
        for some in (parts, parts[::-1], [frame])
    ]
    assert [table.rows() for table in found_of] == [[(3, ["fetch"])]] * 3


STEP = {"answers_tools": True, "calls_tools": True, "conversation": 5, "cache_read_tokens": 100}


def steps(*failed, **other):
    return [
        STEP | {"tool_failed": one, "input_tokens": 1_000 + 7 * number**2, "time": at(number)} | other
        for number, one in enumerate(failed)
    ]


def test_steps_that_answer_failed_calls_are_a_loop_from_the_third_on():
    assert found(*steps(True, True, True, True, True)) == {"failing_tool_steps": (3, 3 * 4_500)}
    assert found(*steps(True, True, False, True, True)) == {}
    assert found(*steps(False, True, True, True, False, True)) == {"failing_tool_steps": (1, 4_500)}
    assert found(*steps(True, True, None, True)) == {}


def test_loops_are_of_one_conversation():
    apart = [row | {"conversation": number % 2} for number, row in enumerate(steps(*[True] * 4))]
    assert found(*apart) == {}
    assert found(*steps(True, True), *steps(True, True, conversation=6)) == {}
    assert found(*steps(True, True, True), *steps(True, True, True, conversation=6))["failing_tool_steps"][0] == 2
