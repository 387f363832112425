"""Logs of no known format, by a ``[mapping]`` table from column names to paths inside a record.

A mapping makes a home-made record of each record, so its keys are the names such logs give their columns:

    [mapping]
    timestamp = "meta.at"
    model = "call.model"
    input_tokens = "call.usage[0].in"
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from llm_audit.errors import UsageError
from llm_audit.sources.entry import Entry, Record
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.plain.flat import FORMAT as FLAT
from llm_audit.sources.records.column_names import SYNONYMS, column_named, rank_of
from llm_audit.sources.records.fields import listing, mapping

_STEP = re.compile(r"""\[(\d+)\]|\[["']([^\]]*)["']\]|\.?([^.\[\]]+)""")
_FIELD_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$ .:/-]{0,39}")
_DIGITS = re.compile(r"[0-9]")
_MAX_DIGITS = 4
_WANTED = ("time", "model", "input", "output", "cached", "messages", "team", "app", "user")
_CONTAINERS = frozenset({"usage", "metadata"})  # read by their parts
_DEEPEST = 6
_MAX_PATHS = 400

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


def suggest(records: Iterable[Record]) -> str:
    """Draft a ``[mapping]`` table from some records, as TOML. It holds names of fields, never their values."""
    seen: Counter[Path] = Counter()
    for record in records:
        seen.update(_leaves(record))
    best: dict[str, tuple[tuple[int, int, int, str], Path]] = {}
    for path in list(seen)[:_MAX_PATHS]:
        found = None if any(map(_is_value, path)) else _likely_column(path)
        if found is not None:
            column, rank = found
            order = (-seen[path], rank, len(path), path_text(path))
            if column not in best or order < best[column][0]:
                best[column] = (order, path)
    lines = ["# Drafted from the names of the fields; check it, and complete what is missing.", "[mapping]"]
    lines += [
        f"{names[0]} = {json.dumps(path_text(best[column][1]))}" for column, names in SYNONYMS.items() if column in best
    ]
    lines += [f'# {SYNONYMS[column][0]} = ""' for column in _WANTED if column not in best]
    taken = {path for _, path in best.values()}
    rest = sorted({path_text(tuple(map(_shown, path))) for path in seen if path not in taken})
    if rest:
        lines += ["", "# Fields not used:", *(f"#   {path}" for path in rest[:_MAX_PATHS])]
    return "\n".join(lines) + "\n"


def _is_value(step: str | int) -> bool:
    """Return whether a key may be a value, such as an id, an address or a secret, rather than the name of a field."""
    return isinstance(step, str) and (_FIELD_NAME.fullmatch(step) is None or len(_DIGITS.findall(step)) > _MAX_DIGITS)


def _shown(step: str | int) -> str | int:
    return "…" if _is_value(step) else step


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


def _leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every field that holds no object; an array of messages is one field."""
    inside = mapping(value) if len(path) < _DEEPEST else {}
    if inside:
        for name, item in inside.items():
            yield from _leaves(item, (*path, name))
    elif path:
        yield path


def _likely_column(path: Path) -> tuple[str, int] | None:
    """Return the column a path is likely to be, and how specific its name is (0 most)."""
    names = [step for step in path if isinstance(step, str)]
    for tail in ("_".join(names[-2:]), names[-1]):
        column = column_named(tail)
        if column is not None and column not in _CONTAINERS:
            return column, rank_of(tail)
    return None
