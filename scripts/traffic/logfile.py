"""A log file under construction, with the expected result of reading it, independent of any reader."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa

from traffic.clock import day, within
from traffic.usage import Usage


class Fate(StrEnum):
    """The expected result of reading a line."""

    REQUEST = "requests"
    DUPLICATE = "duplicates"
    NOT_A_CALL = "not_provider_calls"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The content of a log on one request; ``None`` is what it does not state."""

    model: str
    ok: bool = True
    usage: Usage | None = None
    team: str | None = None
    app: str | None = None
    stated_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a log: a record, or the broken text of one."""

    time_ms: int
    content: dict[str, Any] | str
    fate: Fate = Fate.REQUEST
    reason: str = ""
    call: Call | None = None

    def again(self, later_ms: int = 0) -> Line:
        """Return the same record, shipped once more some time later."""
        return Line(time_ms=within(self.time_ms + later_ms), content=self.content, fate=Fate.DUPLICATE)


def not_a_call(time_ms: int, content: dict[str, Any], reason: str = "metadata") -> Line:
    """Return a line that is no call to a provider."""
    return Line(time_ms=time_ms, content=content, fate=Fate.NOT_A_CALL, reason=reason)


def rejected(time_ms: int, content: dict[str, Any] | str, reason: str) -> Line:
    """Return a line that no reader can use."""
    return Line(time_ms=time_ms, content=content, fate=Fate.REJECTED, reason=reason)


@dataclass(slots=True)
class LogFile:
    """A file of lines; its suffix says how it is compressed. ``table`` is written instead of text for Parquet."""

    path: str
    lines: list[Line] = field(default_factory=list)
    table: pa.Table | None = None
    complete: bool = True  # whether the last line ends

    def add(self, lines: Iterable[Line]) -> None:
        """Append lines as they come."""
        self.lines += lines

    def counts(self) -> dict[str, int]:
        """Count the lines by fate; ``records`` is all of them."""
        fates = Counter(line.fate for line in self.lines)
        return {"records": len(self.lines), **{fate.value: fates[fate] for fate in Fate}}

    def text(self) -> bytes:
        """Return the file's content, uncompressed."""
        rows = [line.content if isinstance(line.content, str) else _json(line.content) for line in self.lines]
        return ("\n".join(rows) + "\n" * self.complete).encode()

    def write(self, root: Path) -> None:
        """Write the file below ``root``: the same bytes each time."""
        target = root / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if self.table is not None:
            import pyarrow.parquet as pq

            pq.write_table(self.table, target, compression="zstd", row_group_size=200)
        elif target.suffix == ".gz":
            target.write_bytes(gzip.compress(self.text(), 9, mtime=0))
        elif target.suffix == ".zst":
            target.write_bytes(pa.Codec("zstd", compression_level=12).compress(self.text(), asbytes=True))
        else:
            target.write_bytes(self.text())


def truth(files: Iterable[LogFile]) -> dict[str, Any]:
    """Add up what the files hold: counts by file and in all, and tokens and calls in several ways."""
    files = sorted(files, key=lambda file: file.path)
    lines = [line for file in files for line in file.lines]
    timed = [(line.time_ms, line.call) for line in lines if line.fate is Fate.REQUEST and line.call]
    calls = [call for _, call in timed]
    used = [call.usage for call in calls if call.usage]
    types = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")
    per_file = {file.path: file.counts() for file in files}
    return {
        "files": per_file,
        "totals": {key: sum(counts[key] for counts in per_file.values()) for key in ("records", *Fate)},
        "rejected": _count(line.reason for line in lines if line.fate is Fate.REJECTED),
        "not_provider_calls": _count(line.reason for line in lines if line.fate is Fate.NOT_A_CALL),
        "tokens": {kind: sum(getattr(usage, kind) for usage in used) for kind in types},
        "requests_without_usage": len(calls) - len(used),
        "failed_requests": sum(not call.ok for call in calls),
        "requests_by_model": _count(call.model for call in calls),
        "requests_by_team": _count(call.team or "" for call in calls),
        "requests_by_app": _count(call.app or "" for call in calls),
        "requests_by_day": _count(day(time_ms) if time_ms else "" for time_ms, _ in timed),
        "stated_usd": f"{sum(round(call.stated_usd * 10**10) for call in calls if call.stated_usd) / 10**10:.10f}",
    }


def _count(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))
