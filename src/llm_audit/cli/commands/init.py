"""``llm-audit init``: write a commented configuration and a CI workflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llm_audit.cli import console
from llm_audit.errors import UsageError
from llm_audit.files import SHARED, write_atomically

FILES = {"llm-audit.toml": Path("llm-audit.toml"), "llm-audit.yml": Path(".github/workflows/llm-audit.yml")}


def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the project.")] = Path(),
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:
    """Write a commented llm-audit.toml and a GitHub workflow; existing files are kept."""
    from importlib import resources

    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder. Create it first, or name another.")
    templates = resources.files("llm_audit.cli") / "templates"
    for name, place in FILES.items():
        path = folder / place
        if path.exists() and not force:
            console.say(f"Kept {path}; --force replaces it")
        else:
            write_atomically(path, (templates / name).read_bytes(), mode=SHARED)
            console.say(f"Wrote {path}")
