"""Build docs/notebook.ipynb: run its cells on the sample logs, in a kernel of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/notebook.ipynb"
CELLS = ROOT / "scripts/data/notebook_cells.txt"
_MARK = "# %%"


def cells() -> Iterator[Any]:
    """Yield the notebook's cells, which stand in a text file in the percent format."""
    for number, text in enumerate(CELLS.read_text(encoding="utf-8").split(f"{_MARK}")[1:]):
        head, _, source = text.rstrip("\n").partition("\n")
        if head == " [markdown]":
            lines = (line.removeprefix("#").removeprefix(" ") for line in source.splitlines())
            yield nbformat.v4.new_markdown_cell("\n".join(lines), id=f"cell-{number}")
        else:
            yield nbformat.v4.new_code_cell(source, id=f"cell-{number}")


def build(cache: str | os.PathLike[str]) -> str:
    """Return the notebook with its outputs; ``cache`` is a folder for what its runs keep."""
    notebook = nbformat.v4.new_notebook(cells=list(cells()))
    environment = os.environ | {"LLM_AUDIT_CACHE_DIR": os.fspath(cache), "JUPYTER_PLATFORM_DIRS": "1"}
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.execute(cwd=str(ROOT), env=environment)
    notebook.metadata = {"language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":  # the kernel's own remarks are no part of the notebook
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return nbformat.writes(notebook) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        TARGET.write_text(build(folder), encoding="utf-8")
