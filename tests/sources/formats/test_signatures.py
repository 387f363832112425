"""Every fixture is read as the format its folder is named after, whatever formats there are beside it."""

import pytest
from tests.sources.formats.fixture_files import FIXTURES, read

from llm_audit.sources.entry import Request
from llm_audit.sources.formats.interface import Context
from llm_audit.sources.formats.registry import FORMATS

NAMES = {known.info.name for known in FORMATS}
FILES = sorted(
    path.relative_to(FIXTURES)
    for path in FIXTURES.glob("*/*")
    if path.parent.name in NAMES and path.name != "README.md"
)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_fixture_is_read_as_itself(path) -> None:
    assert {name for name, _ in read(path)} == {path.parent.name}


def test_formats_have_names_of_their_own() -> None:
    assert len(NAMES) == len(FORMATS)


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.info.name)
def test_what_a_format_tells_is_said_in_known_words(known) -> None:
    words = {"time", "id", "prompts", "cache", "cost", "latency", "trace", "team", "service_tier"}
    assert set(known.info.tells) <= words
    assert known.info.title


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.info.name)
def test_a_format_with_its_own_folder_says_where_its_fixtures_are_from(known) -> None:
    folder = FIXTURES / known.info.name
    if folder.is_dir():
        listed = (folder / "README.md").read_text()
        assert "licence" in listed


@pytest.mark.parametrize(
    "record",
    [
        {"timestamp": 1767607200, "model": "gpt-4o", "tokens_in": 1000, "tokens_out": 20, "cached": 500},
        {
            "time": 1767607200,
            "model": "gpt-4o",
            "input_tokens": 9,
            "output_tokens": 2,
            "type": "chat",
            "sessionId": "s",
        },
        {
            "time": 1767607200,
            "model": "gpt-4o",
            "input_tokens": 9,
            "trace_id": "t",
            "attributes": {"team": "a"},
            "name": "x",
        },
        {
            "time": 1767607200,
            "model": "gpt-4o",
            "input_tokens": 9,
            "output_tokens": 2,
            "payload": {"a": 1},
            "type": "call",
        },
        {
            "time": 1767607200,
            "model": "gpt-4o",
            "input_tokens": 9,
            "output_tokens": 2,
            "span_id": "s",
            "metrics": {"a": 1},
        },
    ],
)
def test_home_made_records_that_share_names_with_other_formats_stay_home_made(record) -> None:
    found = next(known for known in FORMATS if known.matches(record))
    assert found.info.name == "flat"
    (entry,) = found.entries(record, Context("x"))
    assert isinstance(entry, Request)
