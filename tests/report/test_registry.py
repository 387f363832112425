"""The registry of report formats: complete, documented, and light."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from llm_audit.report import formats
from llm_audit.report.registry import RENDERERS

ROOT = Path(__file__).resolve().parents[2]


def test_every_format_has_a_function_and_every_module_a_format() -> None:
    functions = {renderer.function for renderer in RENDERERS.values()}
    assert len(functions) == len(RENDERERS)
    assert {module for module, _ in functions} == {module.name for module in iter_modules(formats.__path__)}
    assert all(
        callable(getattr(import_module(f"llm_audit.report.formats.{module}"), name)) for module, name in functions
    )


def test_every_format_and_suffix_is_in_the_documentation() -> None:
    page = (ROOT / "docs/reports.md").read_text(encoding="utf-8")
    rows = {line for line in page.splitlines() if line.startswith("|")}
    for renderer in RENDERERS.values():
        row = next((row for row in rows if f"`{renderer.name}`" in row), "")
        assert all(f"`{suffix}`" in row for suffix in renderer.suffixes[:1]), renderer.name


def test_choosing_a_format_imports_no_format_and_nothing_heavy() -> None:
    script = (
        "import sys; from llm_audit.report import registry; registry.by_suffix('a.html'); registry.get('xlsx');"
        "print([n for n in sys.modules if n.startswith(('llm_audit.report.formats', 'altair', 'polars', 'xlsx'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
