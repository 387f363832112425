"""Every fixture is read as the format its folder is named after, whatever formats there are beside it."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import FIXTURES, read, records

from llm_audit.errors import UsageError
from llm_audit.sources.entry import Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.registry import all_formats, built_in, ordered

TESTS = Path(__file__).parent
SHARED_FIXTURES = {"usage-variants"}  # of the helpers of all formats
NAMES = {known.info.name for known in all_formats()}
FILES = sorted(
    path.relative_to(FIXTURES)
    for path in FIXTURES.glob("*/*")
    if path.parent.name in NAMES and path.name != "README.md"
)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_fixture_is_read_as_itself(path) -> None:
    assert {name for name, _ in read(path)} == {path.parent.name}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_of_two_formats_that_match_a_fixture_one_is_declared_to_come_first(path) -> None:
    for record in records(path):
        first, *others = [known for known in all_formats() if known.matches(record, Context("x"))]
        assert first.info.name == path.parent.name
        for other in others:
            assert first.specificity < other.specificity or other.info.name in first.before


def a_format(name: str, specificity: Specificity = Specificity.PRODUCT, *, before: tuple[str, ...] = ()) -> Format:
    def nothing(_record, _context) -> Iterator:
        yield from ()

    info = FormatInfo(name=name, title=name, evidence=Evidence.FIXTURE)
    return Format(
        info=info, specificity=specificity, matches=lambda *_: False, entries=nothing, keys=frozenset(), before=before
    )


def test_the_order_is_that_of_specificity_then_of_names_save_where_one_comes_before_another() -> None:
    formats = [
        a_format("plain", Specificity.PLAIN),
        a_format("d", before=("b", "a")),
        a_format("c", before=("d",)),
        a_format("b"),
        a_format("a"),
        a_format("span", Specificity.SPAN),
    ]
    for given in permutations(formats):
        assert [form.info.name for form in ordered(given)] == ["c", "d", "a", "b", "span", "plain"]


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ([a_format("a", before=("b",)), a_format("b", before=("a",))], "a, b are each declared to come before another"),
        ([a_format("a", before=("z",))], '"a" is declared to come before "z", which is no format of the same'),
        ([a_format("a", before=("b",)), a_format("b", Specificity.SPAN)], r"same specificity \(PRODUCT\)"),
    ],
)
def test_an_order_that_cannot_be_is_refused(formats, message) -> None:
    with pytest.raises(UsageError, match=message):
        ordered(formats)


@pytest.mark.parametrize(
    ("room", "form"),
    [(room, form) for room, forms in built_in().items() for form in forms],
    ids=lambda value: value.info.name if isinstance(value, Format) else "",
)
def test_a_format_is_one_module_its_fixtures_and_its_test(room: str, form: Format) -> None:
    module = form.info.name.replace("-", "_")
    package = f"llm_audit.sources.formats.{room}.{module}"
    assert form.entries.__module__.removesuffix(".adapter") == package
    assert (TESTS / room / f"test_{module}.py").is_file() or list((TESTS / room / module).glob("test_*.py"))
    assert "licence" in (FIXTURES / form.info.name / "README.md").read_text()
    assert len(list((FIXTURES / form.info.name).iterdir())) > 1


def test_every_folder_of_fixtures_is_of_a_format() -> None:
    assert {path.name for path in FIXTURES.iterdir() if path.is_dir()} == NAMES | SHARED_FIXTURES
    assert len(NAMES) == len(all_formats())


@pytest.mark.parametrize("known", all_formats(), ids=lambda known: known.info.name)
def test_what_a_format_tells_is_said_in_known_words(known) -> None:
    words = {"time", "id", "prompts", "cache", "cost", "latency", "trace", "team", "service_tier"}
    assert set(known.info.tells) <= words
    assert known.info.title


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
    found = next(known for known in all_formats() if known.matches(record, Context("x")))
    assert found.info.name == "flat"
    (entry,) = found.entries(record, Context("x"))
    assert isinstance(entry, Request)
