"""Nothing that a prompt, an answer, a tool call, a header or a secret says reaches anything that is kept or shown."""

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from llm_audit.cli import run

FIXTURES = Path(__file__).parent / "fixtures"
CANARY = "Canary"
CONTENT = re.compile(
    r"content|text|prompt|completion|arguments?|query|question|answer|thinking|system|instructions|refusal|reasoning|"
    r"(parts|messages|choices|candidates)|authorization|cookie|api.?key|secret|password|user.?agent|x-[a-z-]+|"
    r"description|snippet|(tool_)?(input|output)|value|body|data|delta|summary|signature",
    re.IGNORECASE,
)
NUMBERED = re.compile(r"^[\s\d.,:+TZ-]*$")


def planted(value: Any, key: str = "") -> Any:
    """Return a record with a canary behind every text that is content, in JSON within text too, and some of its own."""
    if isinstance(value, dict):
        made = {name: planted(item, name) for name, item in value.items()}
        if "headers" in key.lower():
            made["authorization"] = f"Bearer sk-{CANARY}"
        if {"role", "content"} <= made.keys():
            made["private_note"] = f"{CANARY} beside the content"
        return made
    if isinstance(value, list):
        return [planted(item, key) for item in value]
    if not isinstance(value, str):
        return value
    try:
        inner = json.loads(value)
    except ValueError:
        inner = None
    if isinstance(inner, dict | list):
        return json.dumps(planted(inner, key))
    return f"{value} {CANARY}" if CONTENT.fullmatch(key) and not NUMBERED.match(value) else value


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixtures of every format with canaries, and files of no known format."""
    folder = tmp_path_factory.mktemp("logs")
    count = 0
    for path in sorted(FIXTURES.rglob("*")):
        if path.suffix not in {".jsonl", ".json"} or not path.parent.relative_to(FIXTURES).parts:
            continue
        target = folder / path.relative_to(FIXTURES)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            records = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
            target.write_text("".join(json.dumps(planted(record)) + "\n" for record in records))
        except ValueError:
            try:
                target.write_text(json.dumps(planted(json.loads(path.read_text()))))
            except ValueError:
                shutil.copyfile(path, target)
        count += target.read_text().count(CANARY)
    assert count > 300
    unknown = {"secrets": {f"sk-{CANARY}-0123456789": {"note": CANARY}, f"{CANARY}@example.com": 1}, "say": CANARY}
    (folder / "unknown.jsonl").write_text(f"{json.dumps(unknown)}\n{{{CANARY}\n" * 3)
    return folder


def contents(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield everything that can be read in the files of a folder, unpacked."""
    for path in folder.rglob("*"):
        if path.suffix == ".parquet":
            yield str(path), str(pl.read_parquet(path).select(pl.all().cast(pl.String)).rows())
        elif path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{path}!{name}", archive.read(name).decode("latin-1")) for name in archive.namelist())
        elif path.is_file():
            yield str(path), path.read_bytes().decode("latin-1")


OUTPUTS = (
    "a.json",
    "a.md",
    "a.html",
    "a.explore.html",
    "a.xlsx",
    "a.prom",
    "a.sarif",
    "a.focus.csv",
    "a.groups.csv",
    "a.csv",
    "a.parquet",
)


def test_no_canary_reaches_what_is_kept_or_shown(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLM_AUDIT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path)
    outputs = [word for name in OUTPUTS for word in ("-o", name)]
    commands: list[tuple[list[str], set[int]]] = [
        (["analyze", str(logs), "-v", "-j", "1", "--save-ledger", "kept", *outputs], {0, 3}),
        (["check", "kept", "--fail-on", "total_cost:1USD", "--baseline", "a.json", "-o", "c.junit.xml"], {0, 1, 3}),
        (["reconcile", "kept"], {0}),
        (["explain", "kept", "--top", "1"], {0, 2}),
        (["report", "a.json", "-f", "github"], {0}),
        (["diff", "a.json", "a.json"], {0}),
        (["formats", "detect", str(logs)], {3}),
        (["cache", "info"], {0}),
        *((["formats", "suggest", str(path)], {0, 2}) for path in sorted(logs.rglob("*.json*"))[::12]),
        (["formats", "suggest", str(logs / "unknown.jsonl")], {0}),
    ]
    for arguments, codes in commands:
        assert run(arguments) in codes, arguments
        printed = capsys.readouterr()
        assert CANARY not in printed.out, arguments
        assert CANARY not in printed.err, arguments
    kept = dict(contents(tmp_path))
    assert len(kept) > len(OUTPUTS) + 6
    assert [name for name, text in kept.items() if CANARY in text] == []


def test_the_search_finds_a_canary(tmp_path: Path) -> None:
    pl.DataFrame({"a": [CANARY]}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "b").write_text(CANARY)
    assert [CANARY in text for _, text in contents(tmp_path)] == [True, True]


def test_every_output_is_for_its_owner_alone(logs: Path, tmp_path: Path) -> None:
    assert run(["analyze", str(logs / "flat"), "-j", "1", "--no-cache", "-q", "-o", str(tmp_path / "a.json")]) in {0, 3}
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "a.json").chmod(0o644)
    assert run(["analyze", str(logs / "flat"), "-j", "1", "--no-cache", "-q", "-o", str(tmp_path / "a.json")]) in {0, 3}
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o644  # a file that exists keeps its mode
