"""Build the tables of docs/formats.md, and their number there and in README.md, from the registry.

    python scripts/build_formats.py

Each room of formats has a table between ``<!-- formats: ROOM -->`` and ``<!-- end -->``. Plug-ins are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from llm_audit.sources.formats.interface import Evidence, Format
from llm_audit.sources.formats.registry import built_in

ROOT = Path(__file__).parent.parent
COUNTED = ("README.md", "docs/formats.md")  # not the changelog: what a release had stays as it was
TABLE = re.compile(r"(?<=<!-- formats: )(\w+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)
COUNT = re.compile(r"\d+(?= log formats)")
_EVIDENCE = {Evidence.REAL: "real", Evidence.FIXTURE: "fixtures", Evidence.RECONSTRUCTED: "documentation"}
_HEAD = "| format | name | checked on | input counts | tells | notes |\n|---|---|---|---|---|---|\n"


def tables(page: str) -> str:
    """Return a page with its tables filled in.

    Raises:
        ValueError: The page has a table of no room, or a room has no table or several.
    """
    rooms = built_in()
    found = sorted(match[1] for match in TABLE.finditer(page))
    if found != sorted(rooms):
        raise ValueError(f"The page has tables of {', '.join(found)}; the rooms are {', '.join(sorted(rooms))}.")
    return TABLE.sub(lambda match: f"{match[1]}{match[2]}{_table(rooms[match[1]])}", page)


def counts(page: str) -> str:
    """Return a page with the number of log formats where it states one."""
    return COUNT.sub(str(sum(map(len, built_in().values()))), page)


def _table(formats: Iterable[Format]) -> str:
    return _HEAD + "".join(_rows(formats))


def _rows(formats: Iterable[Format]) -> Iterator[str]:
    for form in formats:
        info = form.info
        told = ", ".join(name.replace("_", " ") for name in info.tells)
        cells = (info.title, f"`{info.name}`", _EVIDENCE[info.evidence], info.input_counts, told, info.notes)
        yield f"| {' | '.join(cells)} |\n".replace("|  |", "| |")


if __name__ == "__main__":
    document = ROOT / "docs/formats.md"
    document.write_text(tables(document.read_text(encoding="utf-8")), encoding="utf-8")
    for name in COUNTED:
        file = ROOT / name
        file.write_text(counts(file.read_text(encoding="utf-8")), encoding="utf-8")
