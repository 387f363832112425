"""What a wheel holds and how it is tagged: built from a copy of the sources, offline, with the tools at hand."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STALE = "llm_audit/gone.py"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a build, with what earlier builds and an editable installation leave behind."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__"))
    for library in ("lib", f"lib.linux-x86_64-cpython-{sys.version_info[0]}{sys.version_info[1]}"):
        (folder / "build" / library / "llm_audit").mkdir(parents=True)
        (folder / "build" / library / STALE).touch()
    (folder / "src/llm_audit/classify/_kernel.so").write_bytes(b"compiled for development")
    return folder


def wheel(checkout: Path, target: Path, **variables: str) -> tuple[str, list[str]]:
    """Build a wheel by the hook that pip calls; return its file name and the names in it."""
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", build, str(target)],
        cwd=checkout,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = target.glob("*.whl")
    return built.name, zipfile.ZipFile(built).namelist()


@pytest.mark.parametrize("variables", [{"LLM_AUDIT_PURE": "1"}, {"CC": "/bin/false"}], ids=lambda v: next(iter(v)))
def test_a_wheel_without_extensions_is_for_any_machine(
    checkout: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    name, content = wheel(checkout, tmp_path, **variables)
    assert name.endswith("-py3-none-any.whl")
    assert [file for file in content if file.endswith((".so", ".pyd"))] == []
    check_content(content)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_a_wheel_with_extensions_is_for_this_machine(checkout: Path, tmp_path: Path) -> None:
    quick = tmp_path / "quick-cc"  # the last level of optimisation counts, and code that is not run need not be fast
    quick.write_text('#!/bin/sh\nexec cc "$@" -O0\n')
    quick.chmod(0o755)
    name, content = wheel(checkout, tmp_path, LLM_AUDIT_PURE="0", CC=str(quick))
    assert f"-cp{sys.version_info[0]}{sys.version_info[1]}-" in name
    compiled = sorted(file.split(".")[0] for file in content if file.endswith((".so", ".pyd")))
    assert compiled == [
        "llm_audit/audit/aggregate/_sums",
        "llm_audit/classify/_kernel",
        "llm_audit/classify/_words",
        "llm_audit/engines/_requests",
        "llm_audit/engines/_rows",
        "llm_audit/engines/_texts",
        "llm_audit/policy/inputs/_arithmetic",
        "llm_audit/sources/files/parquet/_json",
        "llm_audit/sources/formats/plain/flat/_object",
        "llm_audit/sources/records/_fields",
        "llm_audit/sources/records/streams/_alike",
    ]
    check_content(content)


def check_content(content: list[str]) -> None:
    """Check that a wheel has the package's modules and data at its top, and nothing that an earlier build left."""
    source = ROOT / "src"
    modules = {str(path.relative_to(source)) for path in source.rglob("*.py")}
    assert modules <= set(content)
    assert {"llm_audit/py.typed", "llm_audit/classify/weights.npz", "llm_audit/pricing/overlay.toml"} <= set(content)
    assert STALE not in content
    assert {file.split("/")[0].split("-")[0] for file in content} <= {"llm_audit"}
