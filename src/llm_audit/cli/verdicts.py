"""Verdict files: win, tie or loss of a smaller model on requests of a log, by their ids."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True, slots=True)
class Rejected:
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
    log = _Log.of(ledger, catalog)
    found: dict[int, Judged] = {}
    rejected = []
    for number, row in enumerate(rows, start=1):
        request = log.request(str(row["request"] or "").strip())
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


@dataclass(frozen=True, slots=True)
class _Log:
    """Requests by what a verdict may call them."""

    by_key: dict[int, dict[str, Any]]
    by_id: dict[int, list[dict[str, Any]]]
    by_line: dict[tuple[str, int], dict[str, Any]]
    abilities: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, ledger: Ledger, catalog: Catalog) -> _Log:
        from llm_audit.policy import with_models

        frame = with_models(ledger.scan().collect(), catalog).select(_ROW)
        rows = frame.to_dicts()
        by_id: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            by_id.setdefault(row["request_id"], []).append(row)
        paths = [item.path for item in ledger.manifest.inputs]
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
        if len(name) == 16 and not set(name.lower()) - set("0123456789abcdef") and int(name, 16) in self.by_key:
            return self.by_key[int(name, 16)]
        file, _, line = name.rpartition(":")
        found = self.by_line.get((file, int(line))) if line.isdecimal() else None
        return found or "unknown request"
