"""Any JSON at all gives entries or a reason, from every format, and never another failure."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.formats.fixture_files import FIXTURES

from llm_audit.errors import UsageError
from llm_audit.sources.entry import BadRecordError, NotACall, Rejected, Request
from llm_audit.sources.formats.interface import Context
from llm_audit.sources.formats.registry import all_formats, get
from llm_audit.sources.records.column_names import SYNONYMS


def vocabulary(value):
    """Every key and short string of a record, and of JSON held in its strings."""
    if isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from vocabulary(item)
    elif isinstance(value, list):
        for item in value:
            yield from vocabulary(item)
    elif isinstance(value, str) and len(value) < 60:
        yield value


def words():
    lines = (line for path in FIXTURES.glob("*/*.jsonl") for line in path.read_text().splitlines())
    return sorted({word for line in lines for word in vocabulary(json.loads(line))})


WORD = st.sampled_from(words())
KEY = WORD | st.sampled_from([name for names in SYNONYMS.values() for name in names[:2]])
SCALAR = st.none() | st.booleans() | st.integers(-(10**19), 10**19) | st.floats() | WORD | st.text(max_size=6)
ANY = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=5), max_leaves=25
)
RECORD = st.dictionaries(KEY | st.text(max_size=4), ANY, max_size=8)


@settings(max_examples=250, deadline=None)
@given(record=RECORD)
def test_every_format_reads_or_refuses(record) -> None:
    for form in all_formats():
        form.matches(record, Context("x"))
        try:
            found = list(form.entries(record, Context("x")))
        except BadRecordError:
            continue
        assert found
        assert all(isinstance(entry, Request | NotACall | Rejected) for entry in found)


def test_an_unknown_name_is_refused_with_a_suggestion() -> None:
    assert get("flat").info.name == "flat"
    with pytest.raises(UsageError, match='Did you mean "openai-chat"'):
        get("openai_chat")
