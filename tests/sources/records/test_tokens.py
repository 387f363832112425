"""One vocabulary of token names: whatever a count is called and however it is nested, it is read once."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.sources.entry import BadRecordError
from llm_audit.sources.records.column_names import SYNONYMS
from llm_audit.sources.records.disjoint import Convention, disjoint_usage
from llm_audit.sources.records.tokens import COLUMNS, count_tokens, counts, looks_like_tokens, read_tokens, token_kind
from llm_audit.sources.records.usage import of_any

BASE = {"prompt_tokens": 1000, "completion_tokens": 100}
CACHED = [
    {"cached_tokens": 400},
    {"input_cached_tokens": 400},
    {"cachedInputTokens": 400},
    {"cached_read_tokens": 400},
    {"cache_tokens": 400},
    {"prompt_tokens_details": {"cached_tokens": 400}},
    {"prompt_token_details": {"cached_read_tokens": 400, "cached_write_tokens": 0}},
    {"input_tokens_details": {"cache_read_tokens": 400}},
    {"input_token_details": {"audio": 0, "cache_read": 400}},
    {"inputTokenDetails": {"cacheReadTokens": 400}},
    {"prompt_tokens_details": json.dumps({"cached_tokens": 400})},
    {"cache_read": {"input_tokens": 400}},
    {"cache_read_input_tokens": "400"},
    {"prompt_cache_hit_tokens": 400, "prompt_cache_miss_tokens": 600},
    {"prompt_tokens_details": {"cached_tokens": 0}, "cache_read_input_tokens": 400},
]


@pytest.mark.parametrize("cached", CACHED, ids=str)
def test_cached_tokens_are_found_under_any_name_and_nesting(cached: dict[str, object]) -> None:
    usage = read_tokens({**BASE, **cached}, convention=Convention.INCLUSIVE)
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (600, 400, 100)
    assert usage.unread_counts is None


@pytest.mark.parametrize(
    ("details", "field", "count"),
    [
        ({"completion_tokens_details": {"reasoning_tokens": 40}}, "reasoning_tokens", 40),
        ({"output_token_details": {"reasoning": 40}}, "reasoning_tokens", 40),
        ({"output_tokens_details": {"image_tokens": 90}}, "image_output_tokens", 90),
        ({"output_token_details": {"audio_tokens": 30}}, "audio_output_tokens", 30),
        ({"input_token_details": {"audio": 70}}, "audio_input_tokens", 70),
        ({"input_tokens_details": {"image_tokens": 80}}, "image_input_tokens", 80),
        ({"cache_creation": {"ephemeral_1h_input_tokens": 50}}, "cache_write_1h_tokens", 50),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 50}}, "cache_write_5m_tokens", 50),
        ({"cached_write_tokens": 50}, "cache_write_5m_tokens", 50),
    ],
)
def test_other_kinds_are_found_too(details: dict[str, object], field: str, count: int) -> None:
    assert getattr(read_tokens({**BASE, **details}, convention=Convention.EXCLUSIVE), field) == count


WRITES = [  # 1000 tokens written, in 5-minute and 1-hour writes
    ({"input_token_details": {"cache_creation": 1000, "ephemeral_1h_input_tokens": 1000}}, 0, 1000),
    (
        {
            "input_token_details": {
                "cache_creation": 1000,
                "ephemeral_5m_input_tokens": 0,
                "ephemeral_1h_input_tokens": 1000,
            }
        },
        0,
        1000,
    ),
    (
        {
            "prompt_tokens_details": {
                "cache_creation_tokens": 1000,
                "cache_creation_token_details": {"ephemeral_5m_input_tokens": 800, "ephemeral_1h_input_tokens": 200},
            },
            "cache_creation_input_tokens": 1000,
        },
        800,
        200,
    ),
    ({"prompt_cache_creation_tokens": 1000, "prompt_cache_creation_1h_tokens": 1000}, 0, 1000),
    ({"prompt_cache_creation_5m_tokens": 800, "prompt_cache_creation_1h_tokens": 200}, 800, 200),
    ({"cache_write_tokens": 1000, "cache_write_5m_tokens": 800, "cache_write_1h_tokens": 200}, 800, 200),
    ({"cache_write_tokens": 800, "cache_write_1h_tokens": 200, "total_tokens": 1110}, 800, 200),
    ({"cache_write_tokens": 1000, "cache_write_1h_tokens": 200, "total_tokens": 1110}, 800, 200),
    ({"cache_write_tokens": 1000, "cache_write_1h_tokens": 1000}, 0, 1000),
]


@pytest.mark.parametrize(("counts", "short", "long"), WRITES, ids=str)
def test_a_cache_write_counts_once_whether_or_not_its_lifetime_is_told(
    counts: dict[str, Any], short: int, long: int
) -> None:
    given = {"input_tokens": 10, "output_tokens": 100, **counts}
    usage = read_tokens(given, convention=Convention.EXCLUSIVE)
    assert (usage.input_tokens, usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (10, short, long)


def test_the_sum_of_cache_writes_is_not_added_to_its_parts() -> None:
    split = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}
    usage = read_tokens({"input_tokens": 5, "cache_creation_input_tokens": 100, "cache_creation": split})
    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (30, 70)


def test_a_count_of_no_known_kind_is_named() -> None:
    given = {"quantum_tokens": 7, "zero_tokens": 0, "max_tokens": 512, "token_rate": 9.5, "text_tokens": 3}
    assert count_tokens({**BASE, **given}).unread == ("quantum_tokens",)
    assert read_tokens({**BASE, **given}).unread_counts == "quantum_tokens"


def test_every_name_of_the_vocabulary_is_a_column_of_home_made_logs_and_of_one_kind() -> None:
    assert COLUMNS.items() <= SYNONYMS.items()
    for kind, names in COLUMNS.items():
        for name in names:
            found = token_kind(name)
            assert found is not None
            assert found[0] == kind
            assert not looks_like_tokens(name)


@pytest.mark.parametrize(
    ("given", "fresh", "ambiguous", "unexplained"),
    [
        ({"cache_read": 800, "cache_write": 100, "own_input": 100}, 100, None, None),  # the parts make the whole
        ({"cache_read": 800, "own_input": 1000}, 1000, None, None),
        ({"cache_read": 900, "cache_write": 950, "total": 1100}, 50, None, None),  # reads and writes overlap
        ({"cache_read": 800, "total": 1100}, 200, None, None),
        ({"cache_read": 800, "total": 1900}, 1000, None, None),
        ({"cache_read": 800}, 1000, 800, None),
        ({"total": 1100}, 1000, None, None),
        ({"total": 6100}, 1000, None, 5000),
        ({"total": 900}, 1000, 200, None),
        ({"cache_read": 3000, "total": 4200}, 1000, None, 100),
        ({"reasoning": 60, "total": 1160}, 1000, None, None),
    ],
)
def test_arithmetic_comes_first_and_a_gap_is_never_silent(
    given: dict[str, Any], fresh: int, ambiguous: int | None, unexplained: int | None
) -> None:
    usage = disjoint_usage(1000, 100, **given)
    assert (usage.input_tokens, usage.ambiguous_tokens, usage.unexplained_tokens) == (fresh, ambiguous, unexplained)


def test_an_unused_field_is_named_but_not_a_secret_in_its_place() -> None:
    found = count_tokens({"usage": {"odd_tokens": 3, "sk-proj-secretkey_tokens": 4, "a1b2c3d4e5f6a7b8_tokens": 5}})
    assert found.unread == ("odd_tokens", "…", "…")


def test_the_usage_of_helicones_gateway_leaves_writes_and_modalities_out_of_the_prompt() -> None:
    usage = of_any(
        {
            "prompt_tokens": 905,  # 5 fresh and 900 read
            "completion_tokens": 50,
            "total_tokens": 1979,  # 905 + 50 + 900 + 100 + 24
            "prompt_tokens_details": {
                "cached_tokens": 900,
                "cache_write_tokens": 100,
                "cache_write_details": {"write_5m_tokens": 40, "write_1h_tokens": 60},
            },
            "modality_tokens": {"audio": {"input_tokens": 20, "cached_tokens": 0, "output_tokens": 4}},
        }
    )
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (5, 900, 50)
    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (40, 60)
    assert (usage.audio_input_tokens, usage.audio_output_tokens, usage.ambiguous_tokens) == (20, 4, None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (  # Opik's copy of OpenAI's usage
            {
                "prompt_tokens": 1000,
                "completion_tokens": 50,
                "total_tokens": 1050,
                "original_usage.prompt_tokens": 1000,
                "original_usage.completion_tokens": 50,
                "original_usage.prompt_tokens_details.cached_tokens": 600,
            },
            (400, 600, None),
        ),
        (  # and of Anthropic's
            {
                "prompt_tokens": 1010,
                "completion_tokens": 50,
                "total_tokens": 1060,
                "original_usage.input_tokens": 10,
                "original_usage.output_tokens": 50,
                "original_usage.cache_read_input_tokens": 900,
                "original_usage.cache_creation_input_tokens": 100,
            },
            (10, 900, 100),
        ),
        (  # OpenAI's Agents SDK lists the details of the calls of a turn
            {
                "inputTokens": 1000,
                "outputTokens": 50,
                "totalTokens": 1050,
                "inputTokensDetails": [{"cached_tokens": 400}, {"cached_tokens": 200}],
                "outputTokensDetails": [{"reasoning_tokens": 40}],
            },
            (400, 600, None),
        ),
    ],
    ids=["opik, openai", "opik, anthropic", "agents"],
)
def test_copies_of_the_providers_usage(given: dict[str, Any], expected: tuple[int | None, ...]) -> None:
    usage = read_tokens(given)
    assert (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_5m_tokens) == expected
    assert (usage.output_tokens, usage.unread_counts, usage.ambiguous_tokens) == (50, None, None)


def test_totals_of_the_ai_sdk_have_their_parts_in_them() -> None:
    """As version 6 of the Vercel AI SDK has it: 5010 in, of which 10 fresh, 2000 read and 3000 written; 50 out."""
    into = {"total": 5010, "noCache": 10, "cacheRead": 2000, "cacheWrite": 3000}
    usage = of_any({"inputTokens": into, "outputTokens": {"total": 50, "text": 40, "reasoning": 10}})
    assert (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_5m_tokens) == (10, 2000, 3000)
    assert (usage.output_tokens, usage.reasoning_tokens, usage.unread_counts) == (50, 10, None)


NAMES = st.sampled_from(["input_tokens", "prompt_tokens", "output", "output_tokens", "total_tokens", "cached_tokens"])
ODD = ["12", "007", "1234567890", "", "1,234", "٣", "x", '{"n": 1}', None, 2.0, True, []]
COUNTS = st.integers(-1, 10**10) | st.sampled_from(ODD)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, COUNTS, max_size=4))
def test_plain_counts_are_read_as_all_others_are(record: dict[str, object]) -> None:
    found = tokens_of(record)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(counts, "plain_counts", lambda _record: None)
        assert tokens_of(record) == found


def tokens_of(record: dict[str, object]) -> object:
    try:
        return read_tokens(record, wrapper_total=True), count_tokens(record)
    except BadRecordError as error:
        return str(error), error.note


def test_the_details_of_the_vercel_ai_sdk_are_known() -> None:
    into = {"noCacheTokens": 400, "cacheReadTokens": 4000, "cacheWriteTokens": 600}
    raw = {"input_tokens": 400, "cache_read_input_tokens": 4000}
    usage = read_tokens({"inputTokens": 5000, "outputTokens": 300, "inputTokenDetails": into, "raw": raw})
    assert (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_5m_tokens) == (400, 4000, 600)
    assert (usage.output_tokens, usage.unread_counts) == (300, None)


SUMS = {"total_input_tokens": 100, "total_output_tokens": 20}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (SUMS, (100, None, 20)),
        ({**SUMS, "total_cached_tokens": 60, "input_tokens_by_modality": []}, (40, 60, 20)),
        ({**SUMS, "total_tokens": 120, "total_cost": 0.1}, (100, None, 20)),
        ({**SUMS, "cached_tokens": 60}, (None, None, None)),  # whose meaning is not that of an interaction's
        ({**SUMS, "cache_creation_input_tokens": 60}, (None, None, None)),
        ({"total_input_tokens": 100}, (None, None, None)),
        ({"total_input_tokens": 100, "output_tokens": 20}, (None, None, 20)),
        ({"total_input_tokens": 100, "completion_tokens": 20}, (None, None, 20)),
    ],
)
def test_sums_are_those_of_an_interaction_where_no_other_count_is_beside_them(usage, expected) -> None:
    found = of_any(usage)
    assert (found.input_tokens, found.cache_read_tokens, found.output_tokens) == expected
