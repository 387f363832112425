"""A document that anyone has changed is read as what it says, or refused with the path of the field."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.build import rich

from llm_audit.api import compare_documents
from llm_audit.cli import run
from llm_audit.document.audit import SCHEMA_VERSION, Document, decode, encode
from llm_audit.errors import AuditError
from llm_audit.report import registry


def _short(value: Any) -> Any:
    """Return a document with one row of each list."""
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items()}
    return [_short(item) for item in value[:1]] if isinstance(value, list) else value


DOCUMENT: dict[str, Any] = _short(json.loads(encode(rich(days=4))))
Place = tuple[str | int, ...]


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*place, key)
        yield from _places(item, (*place, key))


PLACES = list(_places(DOCUMENT))
VALUES = [
    7,
    -1,
    10**40,
    1e300,
    float("inf"),
    float("nan"),
    "Infinity",
    "x",
    "",
    None,
    {},
    [],
    True,
    "9" * 30,
    "2026-02-31",
]


def changed(place: Place, change: Callable[[Any, str | int], None]) -> bytes:
    document = copy.deepcopy(DOCUMENT)
    parent: Any = document
    for step in place[:-1]:
        parent = parent[step]
    change(parent, place[-1])
    return json.dumps(document).encode()


def outcome(data: bytes) -> tuple[Document | None, str]:
    """Return the document, or why it is refused."""
    try:
        return decode(data), ""
    except msgspec.DecodeError as error:
        return None, str(error)


def written(place: Place) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)


@settings(deadline=None, max_examples=250)
@given(place=st.sampled_from(PLACES), value=st.sampled_from(VALUES))
def test_any_value_anywhere_is_read_or_refused_with_its_path(place: Place, value: Any) -> None:
    data = changed(place, lambda parent, key: parent.__setitem__(key, value))
    document, refusal = outcome(data)
    if document is None:
        assert " - at `$" in refusal
        return
    for name in ("markdown", "groups-csv", "openmetrics", "focus"):
        try:
            registry.render(document, name)
        except AuditError:
            continue
    try:
        compare_documents(document, decode(json.dumps(DOCUMENT).encode()))
    except AuditError:
        return


@pytest.mark.parametrize("place", [place for place in PLACES if isinstance(place[-1], str)][::5], ids=written)
def test_a_missing_field_is_optional_or_named(place: Place) -> None:
    data = changed(place, lambda parent, key: parent.__delitem__(key))
    document, refusal = outcome(data)
    is_part = place[:-1] == ("cost", "by_token_type")  # without it the sum is wrong, and what it was is unknown
    assert document is not None or is_part or f"`{place[-1]}`" in refusal
    named = f"`{written(place[:-1])}`" in refusal or "[...]" in refusal  # so are keys of names written
    assert document is not None or len(place) == 1 or named


def test_a_field_that_no_audit_has_is_named_unless_a_later_version_may_have_it() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["cost"]["bonus"] = 1
    with pytest.raises(msgspec.DecodeError, match=r"at `\$.cost.bonus`"):
        decode(json.dumps(document).encode())
    document["schema_version"] = SCHEMA_VERSION.split(".")[0] + ".999"
    assert decode(json.dumps(document).encode()).cost.actual == DOCUMENT["cost"]["actual"]


SPOILT: dict[str, tuple[Place, Any, str]] = {
    "a number where text belongs": (("tool", "name"), 7, "$.tool.name"),
    "text where a number belongs": (("requests", "read"), "7", "$.requests.read"),
    "an infinite amount": (("cost", "actual"), "Infinity", "$.cost.actual"),
    "an amount with an exponent": (("cost", "actual"), "1E5", "$.cost.actual"),
    "an infinite number": (("flagship_tax", "expected", "share"), float("inf"), "$.flagship_tax.expected.share"),
    "no number": (("flagship_tax", "expected", "share"), float("nan"), "$.flagship_tax.expected.share"),
    "a huge count": (("tokens", "input"), 10**30, "$.tokens.input"),
    "a day that is none": (("daily", 0, "date"), "2026-02-31", "$.daily[0].date"),
    "another schema": (("schema_version",), "1.0", "$.schema_version"),
    "a version that is none": (("schema_version",), "x", "$.schema_version"),
}


@pytest.mark.parametrize("command", ["report", "check", "diff base", "diff head"])
@pytest.mark.parametrize("spoilt_as", SPOILT)
def test_every_command_that_reads_a_document_ends_with_2_and_the_path(
    command: str, spoilt_as: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, value, path = SPOILT[spoilt_as]
    spoilt, good = tmp_path / "spoilt.json", tmp_path / "good.json"
    good.write_text(json.dumps(DOCUMENT))
    spoilt.write_bytes(changed(place, lambda parent, key: parent.__setitem__(key, value)))
    arguments = {
        "report": ["report", str(spoilt)],
        "check": ["check", str(tmp_path), "--baseline", str(spoilt), "--fail-on", "total_cost:1USD"],
        "diff base": ["diff", str(spoilt), str(good)],
        "diff head": ["diff", str(good), str(spoilt)],
    }
    assert run(arguments[command]) == 2
    said = capsys.readouterr().err
    assert str(spoilt) in said
    assert f"`{path}`" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[" * 100_000, "Expected `object`"),
        (b'{"schema_version":"%s","tool":' % SCHEMA_VERSION.encode() + b'{"a":' * 50 + b"1" + b"}" * 51, "nested"),
        (b"", "truncated"),
        (b"null", "Expected `object`"),
        (b"[]", "Expected `object`"),
        (b"\xff\xfe{}", "malformed"),
        (b'{"schema_version": "2.0"', "truncated"),
    ],
    ids=["deep", "deep fields", "empty", "null", "list", "no UTF-8", "cut short"],
)
def test_what_is_no_document_ends_with_2(
    content: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spoilt.json").write_bytes(content)
    assert run(["report", str(tmp_path / "spoilt.json")]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert str(tmp_path / "spoilt.json") in said
    assert words in said


def test_a_total_that_is_not_the_sum_of_its_parts_is_refused() -> None:
    document = msgspec.structs.replace(rich(), cost=msgspec.structs.replace(rich().cost, actual="-5"))
    with pytest.raises(msgspec.DecodeError, match=r"-5 is not the sum .* at `\$\.cost\.actual`"):
        decode(encode(document))
