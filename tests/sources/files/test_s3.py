"""Object storage, against a server on the loopback interface that speaks S3."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pyarrow import fs
from tests.sources.files.stores.moto_s3 import s3_server, use_s3

from llm_audit.engines import IngestOptions, ingest, local
from llm_audit.errors import UsageError
from llm_audit.sources.files.container import items, sniff
from llm_audit.sources.files.find import Found, find
from llm_audit.sources.files.on_disk import on_disk
from llm_audit.sources.files.stores.address import parse
from llm_audit.sources.files.stores.clients import s3_options

HERE = IngestOptions(jobs=1, cache=False)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket with three logs, a hidden object and one that is no log."""
    use_s3(endpoint, monkeypatch)
    objects = {
        "2026/09/01.jsonl": rows(0, 5),
        "2026/09/02.jsonl.gz": gzip.compress(rows(5, 9)),
        "2026/10/01.json": rows(9, 10),
        "2026/10/.hidden": b"{}",
        "2026/10/README.md": b"# Logs",
    }
    client = fs.S3FileSystem(**s3_options(parse("s3://logs").store), allow_bucket_creation=True)
    client.create_dir("logs")
    for key, content in objects.items():
        with client.open_output_stream(f"logs/{key}", compression=None) as stream:
            stream.write(content)
    return "s3://logs"


def rows(start: int, end: int) -> bytes:
    return b"".join(
        json.dumps({"model": "gpt-4o", "timestamp": 1788220800 + n, "input_tokens": n, "output_tokens": 1}).encode()
        + b"\n"
        for n in range(start, end)
    )


def test_a_prefix_is_listed_like_a_folder(bucket: str, tmp_path: Path) -> None:
    found = find([f"{bucket}/2026"], spool=tmp_path)
    assert [source.name.removeprefix(f"{bucket}/2026/") for source in found.sources] == [
        "09/01.jsonl",
        "09/02.jsonl.gz",
        "10/01.json",
    ]
    assert len(found.notes) == 2


def test_objects_and_globs_are_found(bucket: str, tmp_path: Path) -> None:
    for path in (f"{bucket}/2026/09/01.jsonl", f"{bucket}/2026/*/01.jsonl"):
        assert [source.name for source in find([path], spool=tmp_path).sources] == [f"{bucket}/2026/09/01.jsonl"]


def test_objects_are_read_like_files(bucket: str) -> None:
    ledger = ingest([bucket], options=HERE)
    assert (ledger.manifest.read, ledger.manifest.rows) == (10, 10)
    assert ledger.frame["input_tokens"].to_list() == list(range(10))
    described = ledger.manifest.inputs[0]
    assert (described.path, described.bytes) == (f"{bucket}/2026/09/01.jsonl", len(rows(0, 5)))


@pytest.mark.parametrize("path", ["s3://logs/2027", "s3://nowhere/2026"])
def test_a_prefix_without_objects_is_named(path: str, bucket: str, tmp_path: Path) -> None:
    assert bucket
    with pytest.raises(UsageError, match=path):
        find([path], spool=tmp_path)


@pytest.mark.parametrize("stated", [0, 1, 10**9])
def test_a_store_that_lies_about_sizes_loses_nothing(stated: int, bucket: str, tmp_path: Path) -> None:
    found = find([f"{bucket}/2026/09/01.jsonl"], spool=tmp_path)
    [source] = found.sources
    with on_disk(replace(source, size_bytes=stated), tmp_path) as copy:
        assert copy.size_bytes == len(rows(0, 5))
        assert [record["input_tokens"] for _, record in items(copy, sniff(copy))] == list(range(5))


@pytest.mark.parametrize("stated", [0, 1, 10**9])
def test_an_ingest_reads_all_of_an_object_whatever_its_size_is_said_to_be(
    stated: int, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lying(paths: list[str], **options: Any) -> Found:
        found = find(paths, **options)
        return msgspec.structs.replace(found, sources=[replace(source, size_bytes=stated) for source in found.sources])

    monkeypatch.setattr(local, "find", lying)
    ledger = ingest([bucket], options=HERE)
    assert (ledger.manifest.read, ledger.manifest.rows, ledger.manifest.rejected) == (10, 10, [])
