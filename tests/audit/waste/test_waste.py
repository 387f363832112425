from __future__ import annotations

import polars as pl
from tests.audit.waste.build import at, found

from llm_audit.audit.survey import usual_outputs


def test_plain_traffic_wastes_nothing():
    assert found({}, {}, {}) == {}


def test_a_failed_call_is_waste_once_and_its_retry_is_not():
    assert found({"prompt_hash": 1, "status": "error"}, {"prompt_hash": 1}) == {"failed_requests": (1, 4_500)}


def test_repeats_are_told_apart_by_how_soon_they_come():
    same = {"prompt_hash": 1}
    result = found(same, same, {**same, "time": at(60)})
    assert result == {"retries": (1, 4_500), "repeated_prompts": (1, 4_500)}


def test_another_model_s_answer_to_the_same_prompt_is_no_repeat():
    assert found({"prompt_hash": 1}, {"prompt_hash": 1, "model": "gpt-4o-mini"}) == {}


def test_a_resent_prefix_costs_what_the_cache_would_have_saved():
    turn = {"conversation": 5}
    result = found({**turn, "input_tokens": 2_000}, {**turn, "input_tokens": 3_000, "time": at(2)})
    assert result == {"cache_never_used": (1, 2_000 * (2 - 1))}
    assert found({**turn, "input_tokens": 2_000}, {**turn, "input_tokens": 3_000, "time": at(9)}) == {}
    assert found({**turn, "input_tokens": 900}, {**turn, "input_tokens": 3_000, "time": at(2)}) == {}
    read = {**turn, "input_tokens": 3_000, "cache_read_tokens": 1, "time": at(2)}
    assert found({**turn, "input_tokens": 2_000}, read) == {}


def test_cache_writes_that_nothing_reads_waste_their_premium():
    wrote = {"template_hash": 3, "cache_write_5m_tokens": 1_000}
    assert found(wrote, cost_cache_write_5m_pico=2_500) == {"cache_written_unread": (1, 500)}
    read = {"template_hash": 3, "cache_read_tokens": 10}
    assert found(wrote, read, cost_cache_write_5m_pico=2_500) == {}


def test_an_output_far_beyond_its_template_s_is_runaway():
    usual = [{"template_hash": 3, "output_tokens": 300} for _ in range(20)]
    result = found(*usual, {"template_hash": 3, "output_tokens": 4_000}, cost_output_pico=40_000, usual=300.0)
    assert result == {"runaway_output": (1, (4_000 - 8 * 300) * 10)}


def test_reasoning_on_what_is_easy_anyway_is_waste():
    result = found({"reasoning_tokens": 150}, p_success=0.99, cost_output_pico=2_000)
    assert result == {"reasoning_effort": (1, 150 * 10)}
    assert found({"reasoning_tokens": 150}, p_success=0.9) == {}


def test_no_request_is_counted_twice():
    both = {"prompt_hash": 1, "status": "error", "reasoning_tokens": 150}
    result = found(both, both, p_success=0.99)
    assert result == {"failed_requests": (2, 9_000)}


def outputs(*lengths):
    counted = pl.DataFrame({"tokens": lengths}).group_by("tokens").agg(count=pl.len().cast(pl.Int64))
    return usual_outputs(counted.with_columns(template_hash=pl.lit(1, pl.UInt64), model=pl.lit("m")))["usual"].to_list()


def test_the_usual_output_is_the_median_of_enough_requests():
    assert outputs(*range(1, 20)) == []
    assert outputs(*range(1, 21)) == [10.5]
    assert outputs(*range(1, 22)) == [11.0]
    assert outputs(*[7] * 30) == [7.0]


def turns(*sizes, minutes=6, **common):
    return [
        {"conversation": 5, "input_tokens": size, "time": at(minutes * number), **common}
        for number, size in enumerate(sizes)
    ]


def test_a_conversation_that_outgrows_its_first_turn_would_be_summed_up():
    # The third turn resends 4,000 tokens, too few; the fourth 8,000, of which a summary leaves 2,000, at 2 a token.
    assert found(*turns(1_000, 4_000, 8_000, 9_000)) == {"context_resent": (1, 6_000 * 2)}
    assert found(*turns(3_000, 4_000, 8_000, 9_000)) == {}  # not four times its first turn
    assert found(*turns(1_000, 8_000, 5_000)) == {}  # the context was cut already
    cached = turns(1_000, 4_000, 8_000, 9_000)
    cached[-1]["cache_read_tokens"] = 10
    assert found(*cached) == {}


def test_a_prefix_that_a_cache_would_have_held_is_counted_once():
    result = found(*turns(1_024, 8_000, 9_000, minutes=2))
    assert result == {"cache_never_used": (2, 1_024 + 8_000)}


def test_steps_that_repeat_each_other_are_a_loop_from_the_fifth_on():
    # Each step adds the same 300 tokens: four equal rounds precede the fifth and the sixth.
    step = {"answers_tools": True, "calls_tools": True, "cache_read_tokens": 100}
    sizes = (1_000, 1_300, 1_600, 1_900, 2_200, 2_500)
    loop = turns(*sizes, minutes=1, **step)
    assert found(*loop) == {"repeated_tool_steps": (2, 2 * 4_500)}
    assert found(*loop[:4]) == {}
    assert found(*turns(*sizes, minutes=1, cache_read_tokens=100)) == {}  # no agent's steps
    other = [{**row, "output_tokens": 200 + number} for number, row in enumerate(loop)]
    assert found(*other) == {}
    apart = [{**row, "conversation": 5 + number % 2} for number, row in enumerate(loop)]
    assert found(*apart) == {}
