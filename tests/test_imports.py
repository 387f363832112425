"""Start-up stays light and rooms stay small. The direction of imports is held by import-linter, in pyproject.toml."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "llm_audit"
HEAVY = {"polars", "pyarrow", "genai_prices", "altair", "numpy", "vl_convert", "tiktoken"}
MOST_MODULES = 15
FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(PACKAGE)))
def test_no_folder_is_crowded(folder: Path) -> None:
    modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES, modules


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["analyze", "--help"]], ids=" ".join)
def test_the_command_line_starts_without_heavy_libraries(arguments: list[str]) -> None:
    program = f"import sys; from llm_audit.cli import run; run({arguments}); sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert ("typer" in loaded) == (arguments[0] == "analyze")
    assert loaded & HEAVY == set()


def test_an_audit_that_is_kept_loads_no_heavy_libraries(tmp_path: Path) -> None:
    log = (
        b'{"model": "gpt-4o", "prompt": "Hello", "timestamp": "2026-09-01T00:00:00Z", '
        b'"usage": {"prompt_tokens": 1, "completion_tokens": 1}}\n'
    )
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.jsonl").write_bytes(log)
    with pa.CompressedOutputStream(str(logs / "b.jsonl.zst"), "zstd") as packed:
        packed.write(log.replace(b"Hello", b"Goodbye"))
    for file in logs.iterdir():
        os.utime(file, (1e9, 1e9))  # a file that has just changed is read again
    program = (
        f"import sys; from llm_audit.cli import run; run(['analyze', {str(logs)!r}, '--policy', 'keep']); "
        "sys.stderr.write(' '.join(sys.modules))"
    )
    environment = os.environ | {"LLM_AUDIT_CACHE_DIR": str(tmp_path / "cache")}
    shown = []
    for heavy in (True, False):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment, timeout=120
        )
        loaded = {name.split(".")[0] for name in done.stderr.split()}
        assert bool(loaded & HEAVY) == heavy, loaded & HEAVY
        assert not loaded & {"genai_prices", "pydantic"}  # the price table has a form of its own
        shown.append(done.stdout)
    assert shown[0] == shown[1] != ""
