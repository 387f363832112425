"""Good records beside a bad one are all counted, the bad one is rejected, and every entry is accounted for."""

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_audit.engines import IngestOptions, ingest

NAMES = ["timestamp", "model", "input_tokens", "output_tokens", "prompt", "team"]
GOOD = 12


def record(n: int) -> dict:
    return {
        "timestamp": f"2026-09-01T00:00:{n:02d}Z",
        "model": "gpt-4o",
        "input_tokens": 1 << n,
        "output_tokens": n,
        "prompt": f'What is {n}, {{"so": "called"}}?',
        "team": "search",
    }


def row(values: list, delimiter: str) -> str:
    target = io.StringIO()
    csv.writer(target, delimiter=delimiter, lineterminator="\n").writerow(values)
    return target.getvalue()


BAD_JSON = [
    '{"timestamp": "2026-09-01T00:00:00Z", "model": "gpt-4o", "input_tokens": 1',
    '{"timestamp": "2026-09-01T00:00:00Z", "model": "gpt-4o, "input_tokens": 1}',
    '{"timestamp": "2026-09-01T00:00:00Z", "model": "gpt-4o", "tags": ["a", "b", "input_tokens": 1}',
    '{"timestamp": "2026-09-01T00:00:00Z", "usage": {"input_tokens": 1, "output_tokens": 2}, "model": "gpt',
    "oops",
    '{"what": "another thing"}',
    '{"timestamp": "2026-09-01T00:00:00Z", "model": "gpt-4o", "input_tokens": -5}',
    "\0\0\0\0",
]
BAD_CELLS = [
    '2026-09-01T00:00:00Z{d}gpt-4o{d}1{d}1{d}"never closed{d}search',
    "2026-09-01T00:00:00Z{d}gpt-4o{d}-5{d}1{d}x{d}search",
    "2026-09-01T00:00:00Z{d}gpt-4o{d}1{d}1{d}x{d}search{d}and{d}more",
    'no{d}row{d}"at all',
]
LAYOUTS = {
    "lines": lambda items: "".join(f"{item}\n" for item in items),
    "array": lambda items: "[" + ", ".join(items) + "]",
    "array of lines": lambda items: "[\n" + ",\n".join(items) + "\n]\n",
    "records": lambda items: '{"records": [' + ", ".join(items) + "]}",
}


def zipped(content: bytes, name: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(name, content)
    return target.getvalue()


def tarred(content: bytes, name: str) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


PACKINGS = {
    "": lambda content, _: content,
    ".gz": lambda content, _: gzip.compress(content),
    ".bz2": lambda content, _: bz2.compress(content),
    ".xz": lambda content, _: lzma.compress(content),
    ".zip": zipped,
    ".tar": tarred,
}


def check(folder: Path, name: str, text: str, packing: str) -> None:
    (folder / f"{name}{packing}").write_bytes(PACKINGS[packing](text.encode(), name))
    ledger = ingest([folder], options=IngestOptions(jobs=1, cache=False))
    manifest = ledger.manifest
    rejected = {found.reason: found.count for found in manifest.rejected}
    assert sorted(ledger.frame["input_tokens"]) == [1 << n for n in range(GOOD)], rejected
    assert rejected
    assert manifest.read == manifest.rows + sum(rejected.values())


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bad=st.sampled_from(BAD_JSON),
    where=st.integers(0, GOOD),
    layout=st.sampled_from(sorted(LAYOUTS)),
    packing=st.sampled_from(sorted(PACKINGS)),
)
def test_in_json(bad: str, where: int, layout: str, packing: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    texts = [json.dumps(record(n)) for n in range(GOOD)]
    texts.insert(where, bad)
    check(tmp_path_factory.mktemp("json"), "log.json", LAYOUTS[layout](texts), packing)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bad=st.sampled_from(BAD_CELLS),
    where=st.integers(0, GOOD),
    delimiter=st.sampled_from([",", "\t", ";"]),
    packing=st.sampled_from(sorted(PACKINGS)),
)
def test_in_tables(
    bad: str, where: int, delimiter: str, packing: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [row([record(n)[name] for name in NAMES], delimiter) for n in range(GOOD)]
    lines.insert(where, bad.format(d=delimiter) + "\n")
    check(tmp_path_factory.mktemp("csv"), "log.csv", row(NAMES, delimiter) + "".join(lines), packing)
