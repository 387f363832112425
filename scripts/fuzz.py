"""Damage the fixtures' records and files, and check that nothing is lost, invented, leaked or fatal.

    python scripts/fuzz.py --seconds 60 --seed 1

Half the time goes to records, which pass every adapter in this process, half to files, which pass the whole reader. The
same seed gives the same damage. A fault is printed with what shows it again, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import bz2
import csv
import gzip
import io
import json
import lzma
import random
import sys
import tarfile
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from llm_audit.classify.model import Judgement
from llm_audit.engines import IngestOptions, ingest
from llm_audit.engines.features.text import extract_text_features
from llm_audit.engines.row_batches import judged_table, ledger_row
from llm_audit.errors import AuditError
from llm_audit.sources.entry import NotACall, Reason, Rejected, Request
from llm_audit.sources.files.container import decoded, items, sniff
from llm_audit.sources.files.find import find
from llm_audit.sources.files.lines import Lines
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.registry import all_formats
from llm_audit.tokens.estimate import fill

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures"
CANARY = "canary-7f3a91"
_TEXTS = frozenset({"content", "text", "prompt", "completion", "arguments", "reasoning", "output_text", "thinking"})
_BATCH = 200  # records damaged from one file at a time
_FILES_AT_ONCE = 8
_LONG = 20_000
_LARGE = 12_000  # characters of a record, so that many are tried


class FaultError(Exception):
    """Something that must not happen; the message says what, and how to see it again."""


@dataclass(slots=True)
class Figures:
    """What was tried and what became of it."""

    records: int = 0
    files: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Return the figures in words."""
        outcomes = ", ".join(f"{count:,} {name}" for name, count in sorted(self.outcomes.items()))
        return (
            f"{self.records:,} damaged records and {self.files:,} spoilt files, {len(self.formats)} formats; {outcomes}"
        )


def seeds() -> dict[str, list[dict[str, Any]]]:
    """Return the records of each fixture file."""
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as spool:
        for source in find([FIXTURES], spool=Path(spool)).sources:
            found_here = (item for _, item in items(source, sniff(source)) if isinstance(item, dict))
            records = [json.loads(text) for item in found_here if len(text := json.dumps(item, default=str)) < _LARGE]
            if records:
                _plant(records)
                found[source.name] = records
    return found


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return the holder and the key of every value inside a value."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys = holder if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    return found


def hostile(chance: random.Random, other: Any) -> Any:
    """Return a value that a field is unlikely to expect."""
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: None,
        lambda: chance.choice((True, False)),
        lambda: chance.choice((0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 10**30)),
        lambda: chance.choice((0.5, -0.0, 1e308, 1e-308, float("inf"), float("nan"))),
        lambda: chance.choice(
            ("", " ", "null", "NaN", "1,234", "-5", "12.5", "1e400", "{}", "[]", '{"a":', "\0", "\ud800")
        ),
        lambda: chance.choice(("2026-13-45", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999999999+14:00", "1e18")),
        lambda: "x" * chance.choice((1, 300, _LONG)),
        list,
        dict,
        lambda: [other],
        lambda: {"": other},
        lambda: json.dumps(other),
        lambda: [None, 1, "two", {"three": []}],
        lambda: _nested(chance.choice((10, 90, 400))),
        lambda: f"data: {json.dumps(other)}\n\ndata: {{\n\n",
    )
    return chance.choice(kinds)()


def _nested(depth: int) -> Any:
    value: Any = 1
    for step in range(depth):
        value = [value] if step % 2 else {"content": value}
    return value


def damaged(record: dict[str, Any], others: Sequence[dict[str, Any]], chance: random.Random) -> dict[str, Any]:
    """Return a copy of a record with one to three fields made hostile, removed, renamed or taken from another."""
    copy = _copied(record)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        found = places(copy)
        if not found:
            break
        holder, key = chance.choice(found)
        match chance.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[chance.choice(("", "model", "usage", "type", "content", "id", key.upper()))] = holder.pop(key)
            case 2:
                taken, name = chance.choice(places(chance.choice(others)) or [(holder, key)])
                holder[key] = _copied(taken[name])
            case _:
                holder[key] = hostile(chance, holder[key])
    return copy


def _copied(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def _plant(value: Any) -> None:
    """Put a word into every text of a prompt that no output may hold."""
    for holder, key in places(value):
        if key in _TEXTS and isinstance(holder, dict) and isinstance(holder[key], str):
            holder[key] += f" {CANARY}"


def judge(texts: Sequence[str]) -> Judgement:
    """Abstain from judging, which takes no time."""
    count = len(texts)
    return Judgement(
        difficulty=np.full(count, np.nan, np.float32),
        category=np.zeros(count, np.uint8),
        abstention=np.ones(count, np.uint8),
        stakes=np.zeros(count, np.uint8),
        language=["en"] * count,
    )


def fuzz_records(figures: Figures, chance: random.Random, *, until: Callable[[Figures], bool]) -> None:
    """Damage records and pass them through decoding, detection, adapters and the ledger's columns.

    Raises:
        FaultError: One was lost, or an adapter failed.
    """
    known = seeds()
    names = sorted(known)
    others = [record for name in names for record in known[name][:3]]
    formats = all_formats()
    while not until(figures):
        name = chance.choice(names)
        lines = [
            json.dumps(damaged(chance.choice(known[name]), others, chance)).encode() for _ in range(_BATCH)
        ]  # neighbours of one shape, so that typed readers are tried too
        detector = FormatDetector(formats, path=name)
        rows = []
        reached = 0
        for number, item in decoded(Lines(iter([b"\n".join(lines)])), detector.fast_path.decode):
            reached = number
            for form, entry in _entries(detector, number, item, lines):
                figures.outcomes[type(entry).__name__] += 1
                if isinstance(entry, Request):
                    rows.append(_row(form, entry, number, lines))
        if reached != len(lines):
            raise FaultError(f"records were lost after line {reached} of {name}")
        judged_table(rows, judge) if rows else None
        figures.records += len(lines)
        figures.formats.update(detector.records)


def _entries(detector: FormatDetector, number: int, item: Any, lines: list[bytes]) -> list[tuple[str, Any]]:
    shown = lines[number - 1].decode()
    found = detector.entries(number, item)
    if not found:
        raise FaultError(f"a record left no entry: {shown}")
    for _, entry in found:
        if not isinstance(entry, Request | NotACall | Rejected):
            raise FaultError(f"a record gave {type(entry).__name__}: {shown}")
        if isinstance(entry, Rejected) and (entry.reason is Reason.INTERNAL_ERROR or CANARY in repr(entry)):
            raise FaultError(f"{entry.note or repr(entry)}: {shown}")
    return found


def _row(form: str, request: Request, number: int, lines: list[bytes]) -> Any:
    try:
        if request.usage.usage_source == "none":
            fill(request)
        features = extract_text_features(request)
        request.messages = request.completion = None
        row = ledger_row((number, 0, number), form, request, features)
    except Exception as error:
        raise FaultError(f"{type(error).__name__} in a request of {form}: {lines[number - 1].decode()}") from error
    counts = [getattr(request.usage, name) for name in request.usage.__struct_fields__ if name.endswith("_tokens")]
    if any(count is not None and (not isinstance(count, int) or count < 0) for count in counts):
        raise FaultError(f"a token count is no natural number in {form}: {lines[number - 1].decode()}")
    return row


def fuzz_files(figures: Figures, chance: random.Random, *, until: Callable[[Figures], bool]) -> None:
    """Write records in many containers, spoil the files, and read them as the program does.

    Raises:
        FaultError: The reader failed, or its counts do not add up.
    """
    known = seeds()
    names = sorted(known)
    while not until(figures):
        with tempfile.TemporaryDirectory() as folder:
            for number in range(_FILES_AT_ONCE):
                records = known[chance.choice(names)][:40]
                suffix, content = contained(records, chance)
                (Path(folder) / f"{number}{suffix}").write_bytes(spoilt(content, chance))
            _check(Path(folder), figures)
        figures.files += _FILES_AT_ONCE


def _check(folder: Path, figures: Figures) -> None:
    try:
        ledger = ingest([folder], options=IngestOptions(jobs=1, cache=False))
        manifest = ledger.manifest
        rows = ledger.frame.height
    except AuditError:  # nothing to audit, or a refusal in words
        figures.outcomes["refusals"] += 1
        return
    except Exception as error:
        raise FaultError(f"{type(error).__name__} while reading {_kept(folder)}") from error
    rejected = {found.reason: found.count for found in manifest.rejected}
    others = sum(rejected.values()) + sum(found.count for found in manifest.not_provider_calls) + manifest.duplicates
    if manifest.read != rows + others:
        raise FaultError(f"{manifest.read} entries, {rows} audited and {others} others in {_kept(folder)}")
    if Reason.INTERNAL_ERROR in rejected:
        raise FaultError(f"{'; '.join(manifest.reading_notes)} in {_kept(folder)}")
    if CANARY in repr(manifest) or CANARY in repr(ledger.frame.drop("tags").to_dicts()):
        raise FaultError(f"text of a prompt is in the ledger of {_kept(folder)}")
    figures.outcomes["audited in files"] += rows
    figures.outcomes["rejected in files"] += sum(rejected.values())


def _kept(folder: Path) -> str:
    """Move a folder that shows a fault to where it stays; return its name."""
    kept = Path(tempfile.mkdtemp(prefix="llm-audit-fault-"))
    for path in folder.iterdir():
        (kept / path.name).write_bytes(path.read_bytes())
    return str(kept)


def contained(records: list[dict[str, Any]], chance: random.Random) -> tuple[str, bytes]:
    """Return records in one of the containers that are read, with a suffix for the file's name."""
    lines = "".join(json.dumps(record) + "\n" for record in records).encode()
    kind = chance.randrange(6)
    if kind == 1:
        lines = json.dumps(records).encode()
    elif kind == 2:
        lines = json.dumps(records, indent=1).encode()
    elif kind == 3:
        lines = json.dumps({"records": records}).encode("utf-16" if chance.random() < 0.2 else "utf-8")
    elif kind == 4:
        lines = _delimited(records, chance.choice((",", "\t", ";")))
    elif kind == 5:
        return ".parquet", _parquet(records)
    suffix = ".csv" if kind == 4 else ".jsonl" if kind == 0 else ".json"
    packing = chance.choice(("", "", "", ".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".tar", ".tgz"))
    return suffix + packing, _packed(lines, suffix, packing)


def _packed(content: bytes, suffix: str, packing: str) -> bytes:
    ways: dict[str, Callable[[], bytes]] = {
        "": lambda: content,
        ".gz": lambda: gzip.compress(content, mtime=0),
        ".bz2": lambda: bz2.compress(content),
        ".xz": lambda: lzma.compress(content),
        ".zst": lambda: _by_arrow(content, "zstd"),
        ".lz4": lambda: _by_arrow(content, "lz4"),
        ".zip": lambda: _zipped({f"a{suffix}": content, f"../b{suffix}": content[: len(content) // 2]}),
        ".tar": lambda: _tarred(f"/a{suffix}", content),
        ".tgz": lambda: gzip.compress(_tarred(f"a{suffix}", content), mtime=0),
    }
    return ways[packing]()


def _by_arrow(content: bytes, codec: str) -> bytes:
    import pyarrow as pa

    target = pa.BufferOutputStream()
    with pa.CompressedOutputStream(target, codec) as stream:
        stream.write(content)
    packed: bytes = target.getvalue().to_pybytes()
    return packed


def _zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()


def _tarred(name: str, content: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def _delimited(records: list[dict[str, Any]], delimiter: str) -> bytes:
    header = list(dict.fromkeys(name for record in records for name in record))
    target = io.StringIO()
    writer = csv.writer(target, delimiter=delimiter)
    writer.writerow(header)
    for record in records:
        cells = (record.get(name, "") for name in header)
        writer.writerow([cell if isinstance(cell, str) else json.dumps(cell) for cell in cells])
    return target.getvalue().encode(errors="replace")


def _parquet(records: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = io.BytesIO()
    try:
        table = pa.Table.from_pylist(records)
        pq.write_table(table, target)
    except (pa.ArrowException, OverflowError, TypeError):  # fields of several types
        texts = [{name: json.dumps(value) for name, value in record.items()} for record in records]
        target = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(texts), target)
    return target.getvalue()


def spoilt(content: bytes, chance: random.Random) -> bytes:
    """Return a file's bytes with one to four pieces of damage, or none."""
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        place = chance.randrange(len(content) + 1)
        length = chance.choice((1, 1, 2, 16, 200, 5000))
        match chance.randrange(7):
            case 0:
                content = content[:place]
            case 1:
                content = content[:place] + chance.randbytes(length) + content[place + length :]
            case 2:
                content = content[:place] + content[place + length :]
            case 3:
                content = content[:place] + content[place : place + length] * 2 + content[place + length :]
            case 4:
                content = (
                    content[:place]
                    + chance.choice((b'"', b"\r", b"\n", b"{", b"}", b"\0", b"\\", b",["))
                    + content[place:]
                )
            case 5:
                content = chance.choice((b"a, banner, of words\n", b"\xef\xbb\xbf", b"\n" * length, b"[")) + content
            case _ if content:
                flipped = place % len(content)
                content = (
                    content[:flipped] + bytes([content[flipped] ^ (1 << chance.randrange(8))]) + content[flipped + 1 :]
                )
    return content


def main() -> None:
    """Run for the time given and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    figures, chance = Figures(), random.Random(options.seed)  # noqa: S311 - damage need not be a secret
    try:
        for fuzz in (fuzz_records, fuzz_files):
            end = time.monotonic() + options.seconds / 2
            fuzz(figures, chance, until=lambda _, end=end: time.monotonic() >= end)
    except FaultError as fault:
        sys.exit(f"fault (seed {options.seed}): {fault}")
    finally:
        print(f"seed {options.seed}: {figures}")


if __name__ == "__main__":
    main()
