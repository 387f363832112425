"""The sample logs are what their script makes, and hold what is said of them."""

import gzip
import importlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LOGS = ROOT / "sample_logs"
EXPECTED = json.loads((ROOT / "tests/fixtures/sample_logs_expected.json").read_text(encoding="utf-8"))
TYPES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")
MAX_BYTES = 5_000_000


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    folder = str(ROOT / "scripts")
    sys.path.insert(0, folder)
    yield importlib.import_module("make_sample_logs")
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def rebuilt(script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root: Path = tmp_path_factory.mktemp("rebuilt")
    script.main(root)
    return root


def content(path: Path) -> bytes:
    """Return what is in a file, decompressed; of a table, its rows."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        with pa.input_stream(path, compression="zstd") as stream:
            return bytes(stream.read())
    if path.suffix == ".parquet":
        return json.dumps(pq.read_table(path).to_pylist(), default=str).encode()
    return path.read_bytes()


def lines(name: str) -> list[str]:
    """Return a log's lines; of a table, its rows."""
    path = LOGS / name
    if path.suffix == ".parquet":
        return [json.dumps(row, default=str) for row in pq.read_table(path).to_pylist()]
    return content(path).decode().splitlines()


def records() -> Iterator[Any]:
    for name in EXPECTED["files"]:
        for line in lines(name):
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue


def files_below(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def body_of(record: dict[str, Any]) -> Any:
    """Find the provider's own body in a record of any of the formats."""
    response = record.get("response")
    if isinstance(response, dict):
        return response.get("body", response)
    return record.get("result", {}).get("message") or record.get("message") or record


def usage_of(body: Any) -> dict[str, Any]:
    """Find the usage in a body; in a stream, the last word on each count."""
    if isinstance(body, dict):
        return body.get("usage") or {}
    usage: dict[str, Any] = {}
    for line in body.splitlines():
        if line.startswith("data: {"):
            event = json.loads(line.removeprefix("data: "))
            usage |= event.get("message", {}).get("usage") or event.get("usage") or {}
    return usage


def tokens_of(record: dict[str, Any]) -> dict[str, int]:
    """Count a record's tokens, disjoint, by its provider's convention."""
    if record.get("schemaType") == "ModelInvocationLog":
        output = record.get("output", {})
        return {"input": record["input"].get("inputTokenCount", 0), "output": output.get("outputTokenCount", 0)}
    if "cached_tokens" in record:
        cached = record["cached_tokens"]
        return {"input": record["input_tokens"] - cached, "cache_read": cached, "output": record["output_tokens"]}
    usage = usage_of(body_of(record))
    if "prompt_tokens" in usage:
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        return {
            "input": usage["prompt_tokens"] - cached,
            "cache_read": cached,
            "output": usage["completion_tokens"],
            "reasoning": usage["completion_tokens_details"]["reasoning_tokens"],
        }
    if "input_tokens" not in usage:
        return {}
    written = usage["cache_creation"]
    return {
        "input": usage["input_tokens"],
        "cache_read": usage["cache_read_input_tokens"],
        "cache_write_5m": written["ephemeral_5m_input_tokens"],
        "cache_write_1h": written["ephemeral_1h_input_tokens"],
        "output": usage["output_tokens"],
    }


def call_id(record: dict[str, Any], position: int) -> object:
    """Tell calls apart by their provider's id, where the log has one."""
    body = body_of(record)
    if isinstance(body, str):
        first = json.loads(body.partition("data: ")[2].partition("\n")[0])
        return first.get("message", first)["id"]
    return body.get("id") or position


def is_unusable(record: dict[str, Any]) -> bool:
    return record.get("model", "") is None or record.get("timestamp", "").startswith("0001-")


def test_a_rebuild_holds_the_same(script: ModuleType, rebuilt: Path) -> None:
    made = rebuilt / "sample_logs"
    assert files_below(made) == files_below(LOGS)
    same_libraries = script.expected([])["libraries"] == EXPECTED["libraries"]
    for name in files_below(LOGS):
        assert content(made / name) == content(LOGS / name), name
        assert not same_libraries or (made / name).read_bytes() == (LOGS / name).read_bytes(), name
    again = json.loads((rebuilt / "tests/fixtures/sample_logs_expected.json").read_text(encoding="utf-8"))
    assert again | {"libraries": None} == EXPECTED | {"libraries": None}


def test_the_folder_is_small_and_says_that_it_is_synthetic() -> None:
    assert sum((LOGS / name).stat().st_size for name in files_below(LOGS)) <= MAX_BYTES
    assert "synthetic" in (LOGS / "README.md").read_text(encoding="utf-8")


def test_every_line_is_accounted_for() -> None:
    assert files_below(LOGS) == EXPECTED["files"].keys() | {"README.md"}
    for name, counts in EXPECTED["files"].items():
        assert len(lines(name)) == counts["records"], name
        fates = ("requests", "duplicates", "not_provider_calls", "rejected")
        assert sum(counts[fate] for fate in fates) == counts["records"], name
    for key, total in EXPECTED["totals"].items():
        assert total == sum(counts[key] for counts in EXPECTED["files"].values())


def test_broken_lines_are_as_many_as_stated() -> None:
    broken = 0
    for name in EXPECTED["files"]:
        for line in lines(name):
            try:
                json.loads(line)
            except json.JSONDecodeError:
                broken += 1
    assert broken == EXPECTED["rejected"]["not_json"]
    assert sum(EXPECTED["rejected"].values()) == EXPECTED["totals"]["rejected"]


def test_lines_sent_again_are_as_many_as_stated() -> None:
    repeated = sum(
        count - 1
        for names in ("support-chat", "doc-extraction", "ticket-classifier")
        for count in Counter(
            line for name in EXPECTED["files"] if name.startswith(names) for line in lines(name)
        ).values()
    )
    transcripts = [name for name in EXPECTED["files"] if "/claude-code/" in name]
    rows = [json.loads(line) for name in transcripts for line in lines(name)]
    calls = [(row["message"]["id"], row["requestId"]) for row in rows if row["type"] == "assistant"]
    assert repeated + len(calls) - len(set(calls)) == EXPECTED["totals"]["duplicates"]


def test_tokens_add_up_to_what_is_stated() -> None:
    calls: dict[object, dict[str, int]] = {}
    for position, record in enumerate(records()):
        if not isinstance(record, dict) or record.get("cache_hit") or is_unusable(record):
            continue
        found = tokens_of(record)
        if not found or found["input"] < 0:
            continue
        key = call_id(record, position)
        calls[key] = max(calls.get(key, found), found, key=lambda usage: usage.get("output", 0))
    totals = {kind: sum(usage.get(kind, 0) for usage in calls.values()) for kind in TYPES}
    assert totals == EXPECTED["tokens"]


def test_the_month_is_full() -> None:
    days = {date.fromisoformat(day) for day in EXPECTED["requests_by_day"] if day}
    assert days == {date(2026, 9, day) for day in range(1, 31)}
    assert sum(EXPECTED["requests_by_day"].values()) == EXPECTED["totals"]["requests"]


def test_every_mail_address_is_an_example() -> None:
    text = "\n".join(line for name in EXPECTED["files"] for line in lines(name))
    addresses = {word for word in text.split() if "@" in word and "." in word.partition("@")[2]}
    assert all("example.com" in address for address in addresses)
