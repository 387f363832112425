from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.sources.entry import Request
from llm_audit.sources.formats.plain.flat.fields import _MAX_CHARS, _attribution_and_columns, set_attribution
from llm_audit.sources.records.column_names import columns_of
from llm_audit.sources.records.fields import attribution_of

VALUES = st.sampled_from(
    ["a", "1", "", "null", "x" * _MAX_CHARS, 1, True, 1.0, 0, False, None, [], ["a"], {}, {"a": 1}, ("a",)]
)
METADATA = st.dictionaries(st.sampled_from(["team", "feature", "tags", "session_id", "note"]), VALUES, min_size=1)


@settings(max_examples=400)
@given(METADATA)
def test_what_is_remembered_of_metadata_is_what_they_say(metadata):
    expected = (attribution_of(metadata), columns_of(metadata))
    assert _attribution_and_columns(metadata) == _attribution_and_columns(metadata) == expected


def test_values_that_are_equal_but_of_other_kinds_are_kept_apart():
    told = [_attribution_and_columns({"note": value})[0].tags for value in (1, True, 1.0, "1", "true")]
    assert told == [("note=1",), ("note=true",), ("note=1",), ("note=1",), ("note=true",)]


def test_columns_of_their_own_go_before_metadata():
    request = Request(model="m", trace="t1")
    set_attribution(request, {"team": "a", "app": "b", "trace_id": "t2", "session_id": "s"}, ("c", None, 3, None))
    assert (request.team, request.app, request.user, request.environment) == ("c", "b", "3", None)
    assert (request.trace, request.conversation) == ("t1", "s")
