"""Drafts of a ``[mapping]`` for a log of no known format, from the names of its fields; never from their values."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from llm_audit.sources.entry import BadRecordError, Record, Rejected, Request
from llm_audit.sources.formats.interface import Context
from llm_audit.sources.mapping import Path, build, path_text
from llm_audit.sources.records.column_names import SYNONYMS, column_named, rank_of
from llm_audit.sources.records.fields import mapping

_WANTED = ("time", "model", "input", "output", "cached", "messages", "team", "app", "user")
_CONTAINERS = frozenset({"usage", "metadata"})  # read by their parts
_SHORT = {
    **dict.fromkeys(("tok_p", "tok_in", "tok_i", "p_tok", "in_tok", "ptok", "pt", "t_in", "toks_in"), "input"),
    **dict.fromkeys(("tok_c", "tok_out", "tok_o", "c_tok", "out_tok", "ctok", "ct", "t_out", "toks_out"), "output"),
    **dict.fromkeys(("tok_t", "tok_total", "toks"), "total"),
    **dict.fromkeys(("tok_cached", "tok_cache", "cached_tok"), "cached"),
    **dict.fromkeys(("svc", "svc_name"), "app"),
    **dict.fromkeys(("squad", "squad_name", "tribe"), "team"),
    **dict.fromkeys(("uid", "usr"), "user"),
    **dict.fromkeys(("q", "ask"), "prompt"),
    **dict.fromkeys(("a", "ans"), "completion"),
    **dict.fromkeys(("mdl", "llm"), "model"),
    **dict.fromkeys(("sid", "conv"), "conversation"),
    **dict.fromkeys(("rid", "req_id"), "request_id"),
    **dict.fromkeys(("dur_ms", "ms"), "latency_ms"),
}
"""Columns by short names, which are too usual to be read without being asked for."""
_LEAST = 100  # how specific a short name is, after all others
_REQUESTED = 50  # likewise, a model inside the request
_NOT_LETTERS = re.compile(r"[^0-9A-Za-z]+")
_SECRET = re.compile(r"(?=.*\d)[A-Za-z0-9_\-+/=]{20,}|.*@.*|(sk|pk|key|ghp|xox[a-z])[-_].*")
_FIELD_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$ .:/()%-]{0,39}")
_DIGITS = re.compile(r"[0-9]")
_MAX_DIGITS = 4
_DEEPEST = 6
_MAX_PATHS = 400


def suggest(records: Iterable[Record]) -> str:
    """Draft a ``[mapping]`` table from some records, as TOML. It holds names of fields, never their values."""
    sample = list(records)
    seen: Counter[Path] = Counter()
    for record in sample:
        seen.update(_leaves(record))
    best = _best(seen)
    lines = ["# Drafted from the names of the fields; check it, and complete what is missing."]
    lines += table_lines(best)
    lines += [f'# {SYNONYMS[column][0]} = ""' for column in _WANTED if column not in best]
    taken = set(best.values())
    rest = sorted({path_text(tuple(map(_shown, path))) for path in seen if path not in taken})
    if rest:
        lines += ["", "# Fields not used:", *(f"#   {path}" for path in rest[:_MAX_PATHS])]
    reason = _why_nothing(sample, {SYNONYMS[column][0]: path_text(path) for column, path in best.items()})
    if reason is not None:
        lines += ["", f"# Warning: with this draft no record would be audited: {reason}"]
    return "\n".join(lines) + "\n"


def working_table(records: Iterable[Record]) -> str | None:
    """Draft a ``[mapping]`` table that reads at least one of some records; None where there is none."""
    sample = list(records)
    best = _best(Counter(path for record in sample for path in _leaves(record)))
    if _why_nothing(sample, {SYNONYMS[column][0]: path_text(path) for column, path in best.items()}) is not None:
        return None
    return "\n".join(table_lines(best)) if sample else None


def table_lines(best: dict[str, Path]) -> list[str]:
    """Write a table of paths as lines of TOML."""
    return [
        "[mapping]",
        *(
            f"{names[0]} = {json.dumps(path_text(best[column]))}"
            for column, names in SYNONYMS.items()
            if column in best
        ),
    ]


def _best(seen: Counter[Path]) -> dict[str, Path]:
    """Return the likeliest path of each column: the most frequent, then the one of the most specific name."""
    best: dict[str, tuple[tuple[int, int, int, str], Path]] = {}
    for path in list(seen)[:_MAX_PATHS]:
        found = None if any(map(_is_value, path)) else _likely_column(path)
        if found is not None:
            column, rank = found
            order = (-seen[path], rank, len(path), path_text(path))
            if column not in best or order < best[column][0]:
                best[column] = (order, path)
    chosen = {column: path for column, (_, path) in best.items()}
    for other in ("served", "requested"):  # where no field is called model, the answer's comes before the request's
        if "model" not in chosen and other in chosen:
            chosen["model"] = chosen.pop(other)
    return chosen


def _why_nothing(records: Sequence[Record], table: dict[str, str]) -> str | None:
    """Return why a table would audit none of some records; None where it would audit some."""
    if not records:
        return None
    if "model" not in table:
        return 'no field seems to name the model; set "model".'
    form, context = build(table), Context("")
    reasons: Counter[str] = Counter()
    for record in records:
        if not form.matches(record, context):
            reasons["the model is missing"] += 1
            continue
        try:
            found = list(form.entries(record, context))
        except BadRecordError as error:
            found = [Rejected(error.reason, error.field_name)]
        if any(isinstance(entry, Request) for entry in found):
            return None
        reasons.update(entry.reason.value.replace("_", " ") for entry in found if isinstance(entry, Rejected))
    return f"{reasons.most_common(1)[0][0]}."


def _leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every field that holds no object; an array of messages is one field."""
    inside = mapping(value) if len(path) < _DEEPEST else {}
    if inside:
        for name, item in inside.items():
            yield from _leaves(item, (*path, name))
    elif path:
        yield path


def _is_value(step: str | int) -> bool:
    """Return whether a key may be a value, such as an id, an address or a secret, rather than the name of a field."""
    if not isinstance(step, str):
        return False
    if _FIELD_NAME.fullmatch(step) is None or _SECRET.fullmatch(step):
        return True
    return len(_DIGITS.findall(step)) > _MAX_DIGITS


def _shown(step: str | int) -> str | int:
    return "…" if _is_value(step) else step


def _likely_column(path: Path) -> tuple[str, int] | None:
    """Return the column a path is likely to be, and how specific its name is (0 most)."""
    names = [step for step in path if isinstance(step, str)]
    inside_request = any("request" in name.lower() for name in names[:-1])
    for tail in ("_".join(names[-2:]), names[-1]):
        name = _NOT_LETTERS.sub("_", tail).strip("_")  # such as "Cost (USD)"
        column = column_named(name)
        if column is not None and column not in _CONTAINERS:
            return column, rank_of(name) + (_REQUESTED if column == "model" and inside_request else 0)
        if name.lower() in _SHORT:
            return _SHORT[name.lower()], _LEAST
    return None
