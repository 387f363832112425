"""Data flows one way, and so do imports: ``docs/architecture.md``, held here."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "llm_audit"
LEAVES = {
    "errors",
    "money",
    "vocabulary",
    "files",
    "ledger.schema",
    "ledger.columns",
    "catalog.names",
}  # anyone may import these
ORDER = [  # each may import what stands on a line above, and itself
    {"sources"},
    {"tokens", "classify"},
    {"ledger"},
    {"engines", "catalog"},
    {"pricing"},
    {"policy"},
    {"audit"},
    {"report"},
    {"config"},
    {"api"},
    {"cli", "__init__"},
    {"__main__"},
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
HEAVY = {"polars", "pyarrow", "genai_prices", "altair", "numpy", "vl_convert", "tiktoken"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def imported(path: Path) -> Iterator[str]:
    """Yield the project's modules that a file imports anywhere, without the leading ``llm_audit.``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("llm_audit."):
                yield name.removeprefix("llm_audit.")


def is_leaf(name: str) -> bool:
    return any(name == leaf or name.startswith(leaf + ".") for leaf in LEAVES)


def test_every_package_has_its_place() -> None:
    packages = {module_name(path).split(".")[0] for path in MODULES}
    assert packages <= RANK.keys() | LEAVES


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_nothing_on_the_left_imports_anything_on_its_right(path: Path) -> None:
    importer = module_name(path).split(".")[0]
    wrong = []
    for name in imported(path):
        target = name.split(".")[0]
        if is_leaf(name) or target in {importer, "__version__"}:
            continue
        if importer in LEAVES or RANK[target] >= RANK[importer]:
            wrong.append(name)
    assert wrong == []


def test_leaves_import_only_leaves_and_vocabularies() -> None:
    found = {leaf: set(imported(PACKAGE / (leaf.replace(".", "/") + ".py"))) for leaf in LEAVES}
    assert {leaf: {name for name in names if not is_leaf(name)} for leaf, names in found.items()} == {
        leaf: set() for leaf in LEAVES
    }


def test_reports_see_results_only() -> None:
    seen = {
        ".".join(name.split(".")[:2])
        for path in MODULES
        if module_name(path).startswith("report.")
        for name in imported(path)
        if name.startswith("audit.")
    }
    assert seen <= {"audit.document", "audit.compare_result"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["analyze", "--help"]], ids=" ".join)
def test_the_command_line_starts_without_heavy_libraries(arguments: list[str]) -> None:
    program = f"import sys; from llm_audit.cli import run; run({arguments}); sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert "typer" in loaded
    assert loaded & HEAVY == set()
