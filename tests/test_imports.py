"""Start-up stays light and rooms stay small. The direction of imports is held by import-linter, in pyproject.toml."""

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
