"""Logs of no known format, by a ``[mapping]`` table from column names to paths inside a record.

A mapping makes a custom record of each record, so its keys are the names such logs give their columns:

    [mapping]
    timestamp = "meta.at"
    model = "call.model"
    input_tokens = "call.usage[0].in"
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from llm_audit.errors import UsageError
from llm_audit.sources.entry import Entry, Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.plain.flat import FORMAT as FLAT
from llm_audit.sources.records.column_names import SYNONYMS, column_named
from llm_audit.sources.records.fields import listing, mapping

_STEP = re.compile(r"""\[(\d+)\]|\[["']([^\]]*)["']\]|\.?([^.\[\]]+)""")
Path = tuple[str | int, ...]


def build(table: Mapping[str, str]) -> Format:
    """Build the format that a ``[mapping]`` table describes.

    Raises:
        UsageError: A key is not a known column, or a path cannot be read.
    """
    paths = {_column(name): _path(name, path_text) for name, path_text in table.items()}
    if "model" not in {column_named(name) for name in paths}:
        raise UsageError('[mapping] has no "model": add the path of the field that names the model.')
    model = next(path for name, path in paths.items() if column_named(name) == "model")

    def entries(record: Record, context: Context) -> Iterator[Entry]:
        found = {name: value for name, path in paths.items() if (value := _value_at(record, path)) is not None}
        return FLAT.entries(found, context)

    return Format(
        info=FormatInfo(
            name="mapping",
            title="any log, by the paths of a [mapping] table",
            evidence=Evidence.FIXTURE,
            tells=FLAT.info.tells,
        ),
        specificity=Specificity.ENVELOPE,
        matches=lambda record, _: isinstance(_value_at(record, model), str),
        entries=entries,
    )


def path_text(path: Path) -> str:
    """Write a path the way a mapping gives it."""
    parts = [
        f"[{step}]"
        if isinstance(step, int)
        else f".{step}"
        if not re.search(r"[.\[\]]", step)
        else f"[{json.dumps(step)}]"
        for step in path
    ]
    return "".join(parts).removeprefix(".")


def _column(name: str) -> str:
    if column_named(name) is None:
        known = [names[0] for names in SYNONYMS.values()]
        close = get_close_matches(name, known, n=1)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        raise UsageError(f'[mapping] cannot have a column "{name}"{hint} Known columns: {", ".join(known)}.')
    return name


def _path(name: str, given: str) -> Path:
    rest = given.strip().removeprefix("$")
    steps: list[str | int] = []
    while rest:
        match = _STEP.match(rest)
        if match is None:
            break
        index, quoted, plain = match.groups()
        steps.append(int(index) if index is not None else quoted if quoted is not None else plain)
        rest = rest[match.end() :]
    if rest or not steps:
        raise UsageError(
            f'[mapping] {name} = "{given}" is not a path: write fields separated by dots, such as "usage.input[0]".'
        )
    return tuple(steps)


def _value_at(value: Any, path: Path) -> Any:
    """Return the value at a path, reading JSON in strings on the way; None where it ends early."""
    for step in path:
        if isinstance(step, int):
            items = listing(value)
            value = items[step] if step < len(items) else None
        else:
            value = mapping(value).get(step)
        if value is None:
            return None
    return value
