"""A record with one field made nonsense gives entries or a reason, never another failure."""

import copy
import csv
import json
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.formats.fixture_files import FIXTURES

from llm_audit.sources.entry import BadRecordError, NotACall, Rejected, Request
from llm_audit.sources.formats.interface import Context
from llm_audit.sources.formats.registry import all_formats

BY_NAME = {known.info.name: known for known in all_formats()}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@cache
def records():
    found = []
    for path in sorted(FIXTURES.glob("*/*")):
        if path.parent.name not in BY_NAME:
            continue
        if path.suffix == ".csv":
            with path.open(newline="") as file:
                found += [(path.parent.name, row) for row in csv.DictReader(file)]
        elif path.suffix == ".jsonl":
            found += [(path.parent.name, json.loads(line)) for line in path.read_text().splitlines()]
        elif path.suffix == ".json":
            value = json.loads(path.read_text())
            found += [(path.parent.name, item) for item in (value if isinstance(value, list) else [value])]
    return found


def places(value, prefix=()):
    """Every path into a value, and into JSON held in its strings' places."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*prefix, key)
            yield from places(item, (*prefix, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield (*prefix, index)
            yield from places(item, (*prefix, index))


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_record_with_one_field_replaced_is_read_or_refused(data) -> None:
    name, record = data.draw(st.sampled_from(records()))
    mutated = copy.deepcopy(record)
    *inner, last = data.draw(st.sampled_from(list(places(record))))
    holder = mutated
    for step in inner:
        holder = holder[step]
    holder[last] = data.draw(ANY_JSON)
    for known in all_formats():
        known.matches(mutated, Context("x"))
    try:
        found = list(BY_NAME[name].entries(mutated, Context("x")))
    except BadRecordError:
        return
    assert found
    assert all(isinstance(entry, Request | NotACall | Rejected) for entry in found)
    for entry in found:
        if isinstance(entry, Request):
            assert isinstance(entry.model, str)
            counts = [getattr(entry, field) for field in entry.__struct_fields__ if field.endswith("_tokens")]
            assert all(count is None or (isinstance(count, int) and count >= 0) for count in counts)
