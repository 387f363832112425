"""Start-up stays light and rooms stay small. The direction of imports is held by import-linter, in pyproject.toml."""

import os
import subprocess
import sys
from pathlib import Path

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
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def test_an_audit_that_is_kept_loads_no_heavy_libraries(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(
        '{"model": "gpt-4o", "prompt": "Hello", "timestamp": "2026-09-01T00:00:00Z", '
        '"usage": {"prompt_tokens": 1, "completion_tokens": 1}}\n'
    )
    os.utime(tmp_path / "log.jsonl", (1e9, 1e9))  # a file that has just changed is read again
    program = (
        f"import sys; from llm_audit.cli import run; run(['analyze', {str(tmp_path / 'log.jsonl')!r}, '-q']); "
        "sys.stderr.write(' '.join(sys.modules))"
    )
    environment = os.environ | {"LLM_AUDIT_CACHE_DIR": str(tmp_path / "cache")}
    for heavy in (True, False):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
        )
        loaded = {name.split(".")[0] for name in done.stderr.split()}
        assert bool(loaded & HEAVY) == heavy, loaded & HEAVY
