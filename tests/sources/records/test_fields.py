import pytest

from llm_audit.sources.records.fields import (
    as_int,
    at,
    attribution_of,
    canonical,
    flag,
    labels,
    listing,
    mapping,
    number,
    text,
)


def test_json_in_strings_is_read_on_the_way() -> None:
    record = {"a": '{"b": {"c": "[1, 2]"}}'}
    assert at(record, "a", "b", "c") == "[1, 2]"
    assert listing(at(record, "a", "b", "c")) == [1, 2]
    assert at(record, "a", "x", "c") is None
    assert mapping('{"a": ') == {}
    assert mapping("[1]") == {}
    assert listing(None) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [(" ", None), ("None", None), ("x", "x"), (5, "5"), (True, None), (1.5, None), ({}, None)],
)
def test_text(value, expected) -> None:
    assert text(value) == expected


def test_numbers_and_flags() -> None:
    assert [number(value) for value in ("1.5", 2, "x", True, "inf", 10**400, None)] == [1.5, 2.0] + [None] * 5
    assert [as_int(value) for value in ("429", 2.0, 2.5, None)] == [429, 2, None, None]
    assert [flag(value) for value in ("True", "no", 1, False, "maybe", None)] == [True, False, True, False, None, None]
    assert [flag(value) for value in (0, 17, -1, "17", 1 << 70)] == [False, None, None, None, None]  # of a batch


def test_the_same_arguments_are_written_in_one_way() -> None:
    assert canonical('{"b": 1,  "a": "é"}') == canonical({"a": "é", "b": 1}) == '{"a":"é","b":1}'
    assert canonical("not json") == "not json"


def test_who_is_charged() -> None:
    found = attribution_of(
        {"Team-Name": "ads", "team": "core", "feature": "rag", "env": "prod", "user_id": 7, "tier": 2, "x": {}}
    )
    assert (found.team, found.app, found.environment, found.user) == ("core", "rag", "prod", "7")
    assert found.tags == ("Team-Name=ads", "tier=2")
    assert attribution_of({"team": "core", "Team-Name": "ads"}).tags == ("Team-Name=ads",)


def test_what_tells_calls_apart_is_no_tag() -> None:
    assert attribution_of({"request_id": "r-1", "traceId": "t", "id": "x", "score": 0.25, "attempt": 2.0}).tags == (
        "attempt=2",
    )


def test_content_is_no_label() -> None:
    assert attribution_of({"note": "x" * 101, "empty": " ", "ok": True}).tags == ("ok=true",)


@pytest.mark.parametrize("value", [["a", "b"], '["a", "b"]', "a, b", ("a", "b")])
def test_tags_in_any_shape(value) -> None:
    assert labels(value) == ("a", "b")
    assert attribution_of({"tags": value}).tags == ("a", "b")


def test_tags_as_an_object() -> None:
    assert labels({"a": 1, "b": None}) == ("a=1",)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{'a': None, 'b': [1, {'c': True}]}", {"a": None, "b": [1, {"c": True}]}),
        (" {'a': 'it\\'s'}", {"a": "it's"}),
        ("{'a': print(1)}", {}),  # no literal
        ("{'a': 1", {}),
        ("{'a':" * 9000, {}),
    ],
)
def test_objects_as_python_writes_them_are_read(value: str, expected: dict[str, object]) -> None:
    assert mapping(value) == expected


def test_arrays_as_python_writes_them_are_read() -> None:
    assert listing("[{'a': 1}, {'b': 'x'}]") == [{"a": 1}, {"b": "x"}]
    assert listing("['a']") == []
