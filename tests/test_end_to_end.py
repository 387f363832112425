"""The main job as a user would try it, on the sample logs and on bad input."""

import json
import os
import shutil
import socket
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.pictures import drawn

from llm_audit.cli import run

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_logs"
EXPECTED = json.loads((ROOT / "tests" / "fixtures" / "sample_logs_expected.json").read_text())


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_AUDIT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


def audit(arguments: list[str], capfdbinary: pytest.CaptureFixture[bytes], *, code: int = 0) -> dict[str, Any]:
    capfdbinary.readouterr()
    assert run(["analyze", *arguments, "-f", "json"]) == code, capfdbinary.readouterr().err.decode()
    document: dict[str, Any] = json.loads(capfdbinary.readouterr().out)
    return document


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("samples")
    environment = os.environ | {"LLM_AUDIT_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, "-m", "llm_audit", "analyze", str(SAMPLES), "-q", "-o", str(folder / "audit.json")]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    document: dict[str, Any] = json.loads((folder / "audit.json").read_text())
    return document


def test_every_record_of_the_samples_is_accounted_for(samples: dict[str, Any]) -> None:
    requests, totals = samples["requests"], EXPECTED["totals"]
    assert requests == {
        "read": totals["records"],
        "audited": totals["requests"],
        "duplicates": totals["duplicates"],
        "not_provider_calls": totals["not_provider_calls"],
        "rejected": totals["rejected"],
        "out_of_period": 0,
    }
    assert {row["reason"]: row["count"] for row in samples["rejected"]} == EXPECTED["rejected"]
    assert {row["reason"]: row["count"] for row in samples["not_provider_calls"]} == EXPECTED["not_provider_calls"]
    for row in samples["rejected"]:
        assert row["examples"]
        assert all(example["line"] >= 1 for example in row["examples"])


def test_tokens_of_the_samples_are_what_the_logs_say(samples: dict[str, Any]) -> None:
    for kind, count in EXPECTED["tokens"].items():
        estimated = samples["tokens"]["estimated"] if kind in {"input", "output"} else 0
        assert count <= samples["tokens"][kind] <= count + estimated, kind


def test_groups_of_the_samples_add_up(samples: dict[str, Any]) -> None:
    actual = Decimal(samples["cost"]["actual"])
    for name, rows in samples["groups"].items():
        assert sum(Decimal(row["cost"] or 0) for row in rows) == actual, name
        assert sum(row["requests"] for row in rows) == samples["requests"]["audited"], name
    assert sum(map(Decimal, samples["cost"]["by_token_type"].values())) == actual
    assert sum(Decimal(row["cost"] or 0) for row in samples["coverage"]) == actual
    assert sum(Decimal(row["cost"] or 0) for row in samples["model_mix"]) == actual
    teams = {row["name"]: row["requests"] for row in samples["groups"]["team"]}
    assert {team: teams[team] for team in EXPECTED["requests_by_team"] if team} == {
        team: count for team, count in EXPECTED["requests_by_team"].items() if team
    }


def test_no_section_of_the_samples_report_is_empty(samples: dict[str, Any]) -> None:
    filled = [
        "rejected", "not_provider_calls", "coverage", "model_mix", "model_mix_daily", "daily", "routes", "gates",
        "findings", "waste", "unpriced_models", "reconciliation", "price_rows", "quality", "inputs", "metrics", "basis",
    ]  # fmt: skip
    assert [name for name in filled if not samples[name]] == []
    assert samples["classification"]["abstained"] > 0
    assert samples["classification"]["inherited"] > 0
    tax = samples["flagship_tax"]
    assert Decimal(tax["floor"]["amount"]) <= Decimal(tax["expected"]["amount"]) <= Decimal(tax["ceiling"]["amount"])
    assert Decimal(tax["expected"]["low"]) <= Decimal(tax["expected"]["amount"]) <= Decimal(tax["expected"]["high"])
    unpriced = sum(row["requests"] for row in samples["unpriced_models"] if row["model"] == "acme-internal-13b")
    assert unpriced == EXPECTED["requests_by_model"]["acme-internal-13b"]


def test_no_prompt_text_leaves_the_ingest_half(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    secret = "zanzibar-hummingbird-4711"
    record = {
        "timestamp": "2026-09-01T00:00:00Z",
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": secret}, {"role": "user", "content": f"Summarise {secret}"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    }
    (tmp_path / "log.jsonl").write_text(json.dumps(record) + "\n" + f'{{"broken": "{secret}\n')
    out = tmp_path / "out"
    targets = [argument for suffix in ("json", "html") for argument in ("-o", str(out / f"audit.{suffix}"))]
    assert run(["analyze", str(tmp_path / "log.jsonl"), "--save-ledger", str(out / "ledger"), *targets]) == 3
    printed = capfdbinary.readouterr()
    assert secret.encode() not in printed.out + printed.err
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) >= 4
    for path in written:
        assert secret.encode() not in path.read_bytes(), path


def test_workers_threads_order_splits_and_caches_change_nothing(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    source = SAMPLES / "code-agent"
    command = [sys.executable, "-m", "llm_audit", "analyze", str(source), "-f", "json", "-j", "1", "--no-cache"]
    threads = os.environ | {"POLARS_MAX_THREADS": "4"}
    outputs = {subprocess.run(command, env=threads, capture_output=True, check=True).stdout}
    for arguments in (["-j", "1", "--no-cache"], ["-j", "2"], ["-j", "2"]):
        capfdbinary.readouterr()
        assert run(["analyze", str(source), "-f", "json", *arguments]) == 0
        outputs.add(capfdbinary.readouterr().out)
    assert len(outputs) == 1
    whole = json.loads(outputs.pop())
    lines = b"".join(_lines(path) for path in sorted(source.rglob("*.zst"))).splitlines(keepends=True)
    halves = [lines[: len(lines) // 3], lines[len(lines) // 3 :]]
    for name, half in zip(("z.jsonl", "a.jsonl"), halves, strict=True):
        (tmp_path / name).write_bytes(b"".join(half))
    shutil.copytree(source / "claude-code", tmp_path / "claude-code")
    split = audit([str(tmp_path)], capfdbinary)
    for section in (
        "requests",
        "tokens",
        "cost",
        "flagship_tax",
        "daily",
        "routes",
        "classification",
        "waste",
        "groups",
    ):
        assert split[section] == whole[section], section


def _lines(path: Path) -> bytes:
    import pyarrow as pa

    with pa.input_stream(str(path), compression="zstd") as stream:
        data: bytes = stream.read()
        return data


def test_a_saved_ledger_gives_the_same_audit(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    first = audit([str(SAMPLES / "tutoring"), "--save-ledger", str(tmp_path / "ledger")], capfdbinary)
    again = audit([str(tmp_path / "ledger")], capfdbinary)
    for document in (first, again):
        document.pop("command")
        for finding in document["findings"]:
            finding.pop("commands")  # they name the paths too
    assert again == first


def test_the_network_is_never_touched_and_the_same_audit_renders_to_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    targets = [argument for suffix in ("json", "html") for argument in ("-o", str(tmp_path / f"audit.{suffix}"))]
    assert run(["analyze", str(SAMPLES / "tutoring"), "-j", "1", "-q", *targets]) == 0
    drawn.cache_clear()
    again = [argument for suffix in ("json", "html") for argument in ("-o", str(tmp_path / f"again.{suffix}"))]
    assert run(["report", str(tmp_path / "audit.json"), "-q", *again]) == 0
    for suffix in ("json", "html"):
        assert (tmp_path / f"again.{suffix}").read_bytes() == (tmp_path / f"audit.{suffix}").read_bytes()


def good(number: int = 0, prefix: str = "r") -> str:
    return json.dumps(
        {
            "timestamp": f"2026-09-01T00:00:{number:02}Z",
            "request_id": f"{prefix}{number}",
            "model": "gpt-4o",
            "messages": [{"role": "user", "content": "What is the capital of France?"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5},
        }
    )


@pytest.mark.parametrize(
    ("content", "words", "code"),
    [
        (None, "nothing to audit", 3),
        (b"", "nothing to audit", 3),
        (b"\x7fELF\x02\x01\x01" + bytes(2000), "", 3),
        (b'{"what": "ever"}\n' * 30, "", 3),
    ],
)
def test_nothing_to_audit_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, words: str, code: int
) -> None:
    if content is not None:
        (tmp_path / "log.jsonl").write_bytes(content)
    assert run(["analyze", str(tmp_path)]) == code
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


BAD = {
    "not_json": [b"{broken", b"\xff\xfe\x00garbage", b"[" * 100_000],
    "not_an_object": [b'"a string"'],
    "unknown_format": [b'{"what": "ever"}'],
    "bad_tokens": [good(7).replace("10", number).encode() for number in ("-10", "1e300")],
    "bad_time": [good(7).replace("2026-09", "9026-09").encode()],
    "no_model": [good(7).replace('"model": "gpt-4o", ', "").encode()],
}


def test_good_records_around_a_bad_one_are_kept(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Each bad record stands among good ones in a file of its own."""
    files = [(reason, bad) for reason, lines in BAD.items() for bad in lines]
    for number, (reason, bad) in enumerate(files):
        lines = [good(at, prefix=f"file-{number}-").encode() for at in range(6)]
        (tmp_path / f"{number}-{reason}.jsonl").write_bytes(b"\n".join([*lines[:3], bad, *lines[3:]]) + b"\n")
    document = audit([str(tmp_path)], capfdbinary)
    assert document["requests"] == {
        "read": 7 * len(files), "audited": 6 * len(files), "duplicates": 0, "not_provider_calls": 0,
        "rejected": len(files), "out_of_period": 0,
    }  # fmt: skip
    assert {row["reason"]: row["count"] for row in document["rejected"]} == {name: len(BAD[name]) for name in BAD}
    for row in document["rejected"]:
        assert {example["line"] for example in row["examples"]} == {4}
        assert all(f"-{row['reason']}.jsonl" in example["file"] for example in row["examples"])
    # Of each file, 60 input tokens at $2.50 and 30 output tokens at $10 a million.
    assert Decimal(document["cost"]["actual"]) == Decimal("0.00045") * len(files)


def test_strict_refuses_what_is_otherwise_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log.jsonl").write_text("\n".join([*(good(number) for number in range(9)), "{broken"]))
    assert run(["analyze", str(tmp_path), "-q"]) == 0
    assert run(["analyze", str(tmp_path), "-q", "--strict"]) == 3
    assert "1 of 10 records were rejected" in capsys.readouterr().err


def test_standard_input_is_read(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "llm_audit", "analyze", "-", "-f", "json"]
    environment = os.environ | {"LLM_AUDIT_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(command, input=good().encode(), env=environment, capture_output=True, check=True)
    assert json.loads(done.stdout)["requests"]["audited"] == 1
