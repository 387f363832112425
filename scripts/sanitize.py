"""Build the C extensions with AddressSanitizer and UndefinedBehaviorSanitizer, and run their tests against them.

    python scripts/sanitize.py

Needs gcc on Linux. The package is copied to a temporary folder and its extensions are built there; nothing else
changes. Ends with 1 where a sanitizer reports anything or a test fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLAGS = ("-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
TESTS = (
    "tests/audit/aggregate/test_cluster_sums.py",
    "tests/classify/test_features.py",
    "tests/classify/text/test_select.py",
    "tests/classify/text/test_words.py",
    "tests/engines/features/test_line_hash.py",
    "tests/engines/test_request_batches.py",
    "tests/engines/test_row_reader.py",
    "tests/engines/features/test_text.py",
    "tests/policy/inputs/test_arithmetic.py",
    "tests/sources/files/test_parquet_lines.py",
    "tests/sources/formats/agents/test_claude_code.py",
    "tests/sources/formats/plain/flat/test_object_reader.py",
    "tests/sources/formats/plain/flat/test_plain_request.py",
    "tests/sources/records/test_anthropic_usage.py",
    "tests/sources/records/test_compiled_fields.py",
    "tests/sources/records/streams/test_alike.py",
)


def main() -> None:
    """Build, test, and end with the tests' exit code."""
    with tempfile.TemporaryDirectory(prefix="sanitize-") as folder:
        package = Path(folder) / "src"
        shutil.copytree(ROOT / "src", package, ignore=shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info"))
        for module in _extensions():
            _build(module, package)
        preload = [_library(name) for name in ("libasan.so", "libubsan.so", "libstdc++.so.6")]
        environment = {
            **os.environ,
            "PYTHONPATH": str(package),
            "LD_PRELOAD": " ".join(preload),
            # Python keeps memory until it ends, and native libraries are not built for leak checks.
            "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=1",
            "PYTHONMALLOC": "malloc",
        }
        tests = [str(ROOT / path) for path in TESTS if (ROOT / path).exists()]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), *tests]
        sys.exit(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)


def _extensions() -> list[str]:
    """Return the names of the extension modules."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [extension["name"] for extension in project["tool"]["setuptools"]["ext-modules"]]


def _build(module: str, package: Path) -> None:
    source = package / (module.replace(".", "/") + ".c")
    target = source.with_name(source.stem + sysconfig.get_config_var("EXT_SUFFIX"))
    include = sysconfig.get_path("include")
    subprocess.run(["gcc", "-shared", "-fPIC", *FLAGS, f"-I{include}", str(source), "-o", str(target)], check=True)


def _library(name: str) -> str:
    """Return the path of one of gcc's libraries."""
    found = subprocess.run(["gcc", f"-print-file-name={name}"], check=True, capture_output=True, text=True)
    return found.stdout.strip()


if __name__ == "__main__":
    main()
