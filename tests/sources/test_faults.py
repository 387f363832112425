"""A bug in an adapter costs the records that show it: they are rejected by name, and all others are read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.sources.formats.fixture_files import FIXTURES

from llm_audit.engines import IngestOptions, ingest
from llm_audit.engines.context import IngestConfig
from llm_audit.sources.entry import Reason, Rejected, Request
from llm_audit.sources.files.container import items, sniff
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.interface import Format, TypedReader
from llm_audit.sources.formats.registry import all_formats

FORMATS = all_formats()
NAMES = [form.info.name for form in FORMATS if (FIXTURES / form.info.name).is_dir()]


class Fault(Exception):  # noqa: N818
    """No built-in exception: whatever an adapter raises is caught."""


def with_faults(form: Format) -> Format:
    """The format, failing on every other record, on the way through dictionaries and through structs."""
    seen = 0

    def fails() -> bool:
        nonlocal seen
        seen += 1
        return seen % 2 == 1

    def entries(record, context) -> Iterator:
        if fails():
            raise Fault
        yield from form.entries(record, context)

    def fast_path(record) -> TypedReader | None:
        assert form.fast_path is not None
        reader = form.fast_path(record)
        if reader is None:
            return None

        def read(typed) -> Request:
            if fails():
                raise Fault
            return reader.read(typed)

        return replace(reader, read=read)

    return replace(form, entries=entries, fast_path=fast_path if form.fast_path else None)


def read(source, formats) -> list[list[tuple[str, object]]]:
    detector = FormatDetector(formats, path=source.name)
    located = items(source, sniff(source), detector.fast_path.decode)
    return [detector.entries(line, item) for line, item in located]


@pytest.mark.parametrize("name", NAMES)
def test_every_adapter_may_fail_and_costs_only_the_records_it_fails_on(name: str, source_of) -> None:
    formats = [with_faults(form) if form.info.name == name else form for form in FORMATS]
    failed = 0
    for path in sorted((FIXTURES / name).iterdir()):
        source = source_of(path)
        if not path.is_file() or path.name.startswith("."):
            continue
        sound, faulty = read(source, FORMATS), read(source, formats)
        assert len(sound) == len(faulty)
        for whole, part in zip(sound, faulty, strict=True):
            assert part, "a record leaves an entry, whatever happens"
            faults = [
                entry for _, entry in part if isinstance(entry, Rejected) and entry.reason is Reason.INTERNAL_ERROR
            ]
            assert all(entry.note == f"the reader of the format {name} failed with Fault" for entry in faults)
            failed += len(faults)
            # of how many calls a sum tells may depend on the records before it
            assert faults or {found for found, _ in part} == {found for found, _ in whole}
    assert failed


@pytest.mark.parametrize("name", NAMES)
def test_a_signature_that_fails_costs_its_record(name: str) -> None:
    def matches(_record, _context) -> bool:
        raise Fault

    form = next(form for form in FORMATS if form.info.name == name)
    detector = FormatDetector([replace(form, matches=matches, keys=frozenset({"a"}), keys_decide=False)], path="x")
    [(_, entry)] = detector.entries(1, {"a": 1})
    assert entry == Rejected(Reason.INTERNAL_ERROR, note="the detection of the format failed with Fault")
    assert [entry.reason for _, entry in detector.entries(2, {"b": 1})] == [Reason.UNKNOWN_FORMAT]


def test_a_failed_record_is_counted_located_and_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formats = tuple(with_faults(form) if form.info.name == "flat" else form for form in FORMATS)
    monkeypatch.setattr(IngestConfig, "formats", lambda _self: formats)
    line = '{"model": "gpt-4o", "input_tokens": %d, "output_tokens": 2, "timestamp": "2026-09-01T00:00:00Z"}\n'
    (tmp_path / "log.jsonl").write_text("".join(line % n for n in range(10)))
    manifest = ingest([tmp_path], options=IngestOptions(jobs=1, cache=False)).manifest
    assert (manifest.read, manifest.rows) == (10, 5)
    [rejection] = manifest.rejected
    assert (rejection.reason, rejection.count, rejection.examples[0].line) == ("internal_error", 5, 1)
    assert manifest.reading_notes == [f"{tmp_path}/log.jsonl:1: the reader of the format flat failed with Fault"]


def test_a_row_that_no_column_takes_is_rejected_and_its_batch_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(form: Format) -> Format:
        def entries(record, context) -> Iterator:
            for entry in form.entries(record, context):
                if isinstance(entry, Request) and entry.usage.input_tokens == 7:
                    entry.region = {"not": "a name"}
                yield entry

        return replace(form, entries=entries, fast_path=None)

    formats = tuple(odd(form) if form.info.name == "flat" else form for form in FORMATS)
    monkeypatch.setattr(IngestConfig, "formats", lambda _self: formats)
    line = '{"model": "gpt-4o", "input_tokens": %d, "output_tokens": 2, "timestamp": "2026-09-01T00:00:00Z"}\n'
    (tmp_path / "log.jsonl").write_text("".join(line % n for n in range(10)))
    manifest = ingest([tmp_path], options=IngestOptions(jobs=1, cache=False)).manifest
    assert (manifest.read, manifest.rows) == (10, 9)
    assert [(found.reason, found.count, found.examples[0].line) for found in manifest.rejected] == [
        ("internal_error", 1, 8)
    ]
