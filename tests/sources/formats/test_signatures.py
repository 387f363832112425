"""Asking only the formats that a record's keys allow finds the same format as asking all of them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.formats.fixture_files import FIXTURES

from llm_audit.sources.formats.interface import Context
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.formats.signatures import Signatures

CONTEXT = Context("x")
RECORDS = [json.loads(line) for path in sorted(FIXTURES.glob("*/*.jsonl")) for line in path.read_text().splitlines()]
KEYS = sorted({key for form in all_formats() for key in form.keys} | {key for record in RECORDS for key in record})


def first_of_all(record):
    return next((form for form in all_formats() if form.matches(record, CONTEXT)), None)


def test_fixtures_are_found_alike() -> None:
    signatures = Signatures(all_formats())
    assert [signatures.first(record, CONTEXT) for record in RECORDS] == [first_of_all(record) for record in RECORDS]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(RECORDS), st.sets(st.sampled_from(KEYS), max_size=3), st.sampled_from(RECORDS))
def test_records_with_fields_taken_or_added_are_found_alike(record, changed, other) -> None:
    mixed = {key: value for key, value in record.items() if key not in changed}
    mixed |= {key: other[key] for key in changed if key in other}
    assert Signatures(all_formats()).first(mixed, CONTEXT) is first_of_all(mixed)


@pytest.mark.parametrize("form", all_formats(), ids=lambda form: form.info.name)
def test_no_format_matches_a_record_without_one_of_its_keys(form) -> None:
    if form.keys:
        assert not any(form.matches(record, CONTEXT) for record in RECORDS if form.keys.isdisjoint(record))


@pytest.mark.parametrize("form", [form for form in all_formats() if form.keys_decide], ids=lambda form: form.info.name)
def test_a_format_told_by_keys_alone_does_not_look_at_values(form) -> None:
    assert all(form.matches(dict.fromkeys(record), CONTEXT) == form.matches(record, CONTEXT) for record in RECORDS)
