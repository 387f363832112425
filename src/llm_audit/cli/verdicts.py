"""Verdict files: win, tie or loss of a smaller model on requests of a log, by their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from llm_audit.cli.labels import read_labels
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.catalog import Catalog
    from llm_audit.classify.learning.verdicts import Judged
    from llm_audit.ledger import Ledger

NEEDED = ("request", "verdict")
_ROW = (
    "request_key", "request_id", "input", "line", "model_id", "category", "difficulty", "template_hash", "calls_tools",
    "answers_tools",
)  # fmt: skip


class Rejected(msgspec.Struct, frozen=True):
    """A verdict that cannot be used: its row in the file, counted from 1, and why."""

    row: int
    reason: str


def is_verdicts(rows: pl.DataFrame) -> bool:
    """Whether a label file holds verdicts."""
    return "verdict" in rows.columns


def read_verdicts(path: Path) -> list[dict[str, Any]]:
    """Read a verdict file.

    Raises:
        UsageError: It cannot be read, or lacks a column.
    """
    rows = read_labels(path, as_text=True)
    if missing := [name for name in NEEDED if name not in rows.columns]:
        raise UsageError(f"{path} has no column {', '.join(missing)}; its columns are {', '.join(rows.columns)}.")
    return rows.to_dicts()


def match(
    rows: list[dict[str, Any]], ledger: Ledger, catalog: Catalog, *, small: str | None
) -> tuple[list[Judged], list[Rejected]]:
    """Find the requests that verdicts are about, and what is believed of them.

    Args:
        rows: Of ``read_verdicts``.
        ledger: The log.
        catalog: Models.
        small: The smaller model of rows that do not name one.

    Returns:
        The verdicts in the order of the log, and those that cannot be used in the order of the file.
    """
    log = _Log.of(ledger, catalog, [_name(row) for row in rows])
    found: dict[int, Judged] = {}
    rejected = []
    for number, row in enumerate(rows, start=1):
        request = log.request(_name(row))
        reason = request if isinstance(request, str) else _unusable(row, request, catalog)
        if isinstance(request, dict) and reason is None and request["request_key"] in found:
            reason = "duplicate"
        if isinstance(request, dict) and reason is None:
            judged = _judged(row, request, catalog, log.abilities, small=small)
            if isinstance(judged, str):
                reason = judged
            else:
                found[request["request_key"]] = judged
        if isinstance(reason, str):
            rejected.append(Rejected(number, reason))
    return [found[key] for key in sorted(found)], rejected


def account(rejected: list[Rejected]) -> str:
    """Write how many verdicts were rejected, why, and the first of each reason."""
    first: dict[str, int] = {}
    for one in rejected:
        first.setdefault(one.reason, one.row)
    counts = Counter(one.reason for one in rejected)
    parts = [f"{count:,} {reason} (row {first[reason]})" for reason, count in sorted(counts.items())]
    return f"Rejected {len(rejected):,}: {', '.join(parts)}."


def _name(row: dict[str, Any]) -> str:
    """Return what a verdict calls its request."""
    return str(row["request"] or "").strip()


def _unusable(row: dict[str, Any], request: dict[str, Any], catalog: Catalog) -> str | None:
    from llm_audit.classify.learning.verdicts import Verdict

    if str(row["verdict"] or "").strip().lower() not in set(Verdict):
        return "unknown verdict"
    used = row.get("used_model")
    if used is not None and catalog.resolve(None, str(used)) != request["model_id"]:
        return "model mismatch"
    return None if request["difficulty"] is not None else "request that was not judged"


def _judged(
    row: dict[str, Any],
    request: dict[str, Any],
    catalog: Catalog,
    abilities: dict[str, dict[str, Any]],
    *,
    small: str | None,
) -> Judged | str:
    """Return a verdict with what is believed of its request, or why it cannot be used."""
    from llm_audit.classify.learning.verdicts import Judged, Verdict
    from llm_audit.vocabulary import Category

    named = row.get("small_model") or small
    if named is None:
        raise UsageError("No smaller model is named. Give a column small_model, or --to MODEL.")
    candidate, used = catalog.resolve(None, str(named)), request["model_id"]
    if used is None or candidate is None:
        return "unknown model"
    if used == candidate:
        return "model mismatch"
    category = str(request["category"])
    # A step of a tool loop is judged by the lower of its category and tool use, as routing does.
    skills = [category, str(Category.TOOL_USE)] if request["calls_tools"] or request["answers_tools"] else [category]
    known = {}
    for model in (used, candidate):
        of_skill = {skill: abilities[model][f"ability_{skill}"] for skill in skills}
        if None in of_skill.values():
            return "model of unknown ability"
        known[model] = min(of_skill, key=lambda skill: (of_skill[skill], skill != category))
    return Judged(
        verdict=Verdict(str(row["verdict"]).strip().lower()),
        used=(used, known[used]),
        small=(candidate, known[candidate]),
        used_ability=abilities[used][f"ability_{known[used]}"],
        small_ability=abilities[candidate][f"ability_{known[candidate]}"],
        category=category,
        template=request["template_hash"],
        difficulty=request["difficulty"],
    )


class _Log(msgspec.Struct, frozen=True):
    """Requests by what a verdict may call them."""

    by_key: dict[int, dict[str, Any]]
    by_id: dict[int, list[dict[str, Any]]]
    by_line: dict[tuple[str, int], dict[str, Any]]
    abilities: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, ledger: Ledger, catalog: Catalog, names: Sequence[str]) -> _Log:
        """Read the requests that names may be of, partition by partition."""
        import polars as pl

        from llm_audit.policy import with_models

        paths = [item.path for item in ledger.manifest.inputs]
        wanted = _wanted(names, paths)
        read = [ledger.scan(number).filter(wanted).collect() for number in range(ledger.partitions)]
        found = pl.concat(read).sort("input", "line", "entry")
        rows = with_models(found, catalog).select(_ROW).to_dicts()
        by_id: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            by_id.setdefault(row["request_id"], []).append(row)
        return cls(
            {row["request_key"]: row for row in rows},
            by_id,
            {(paths[row["input"]], row["line"]): row for row in rows if row["input"] < len(paths)},
            {row["model_id"]: row for row in catalog.frame.iter_rows(named=True)},
        )

    def request(self, name: str) -> dict[str, Any] | str:
        """Return the request of an id of the log, a request key or ``file:line``; or why there is none."""
        from xxhash import xxh3_64_intdigest

        named = self.by_id.get(xxh3_64_intdigest(name.encode()), []) if name else []
        if len(named) > 1:
            return "ambiguous request id"
        if named:
            return named[0]
        if (key := _key(name)) in self.by_key:
            return self.by_key[key]
        return self.by_line.get(_line(name), "unknown request")


def _wanted(names: Sequence[str], paths: Sequence[str]) -> pl.Expr:
    """Return whether a request may be called by one of the names."""
    import polars as pl
    from xxhash import xxh3_64_intdigest

    ids = pl.Series([xxh3_64_intdigest(name.encode()) for name in names if name], dtype=pl.UInt64)
    keys = pl.Series([key for name in names if (key := _key(name)) >= 0], dtype=pl.UInt64)
    places = [_line(name) for name in names]
    inputs = [at for at, path in enumerate(paths) if path in {file for file, _ in places}]
    return (
        pl.col("request_id").is_in(ids.implode())
        | pl.col("request_key").is_in(keys.implode())
        | (pl.col("input").is_in(inputs) & pl.col("line").is_in([line for _, line in places]))
    )


def _key(name: str) -> int:
    """Return the request key that a name writes in hexadecimal; -1 of another name."""
    return int(name, 16) if len(name) == 16 and not set(name.lower()) - set("0123456789abcdef") else -1


def _line(name: str) -> tuple[str, int]:
    """Return the file and line that a name writes; line -1 of another name."""
    file, _, line = name.rpartition(":")
    return file, int(line) if line.isdecimal() else -1
