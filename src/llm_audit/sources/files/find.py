"""Discovery of the files behind the paths a user gives: folders walked, globs expanded, stores listed."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from llm_audit.errors import UsageError
from llm_audit.sources import databases
from llm_audit.sources.files.archives import members
from llm_audit.sources.files.lakes import Lakes
from llm_audit.sources.files.named import named, printable, spooled
from llm_audit.sources.files.storage import Source
from llm_audit.sources.files.stores.address import is_remote
from llm_audit.sources.files.stores.key_dates import KeyDates, outside_period
from llm_audit.sources.files.walk import skip_reason, walk

STANDARD_INPUT = "-"
_DATABASES = (".db", ".sqlite", ".sqlite3", ".duckdb")
_DRIVERS_OF_FILES = frozenset({"sqlite", "duckdb"})
_WILDCARD = re.compile(r"[*?\[]")


class Found(msgspec.Struct, frozen=True):
    """The files to read, sorted by name, and a note for each file or folder skipped."""

    sources: tuple[Source, ...]
    notes: tuple[str, ...]


def find(
    paths: Sequence[str | Path],
    *,
    spool: Path,
    stdin: BinaryIO | None = None,
    selection: databases.Selection = databases.EVERYTHING,
    dates: KeyDates | None = None,
    no_archive: Callable[[Source], bool] = lambda _: False,
) -> Found:
    """List the files of logs behind these paths, each once, sorted by name.

    Args:
        paths: Files, folders (walked), globs, ``-`` for standard input, addresses such as ``s3://bucket/prefix``,
            databases.
        spool: A folder for what comes from standard input, which cannot be read twice.
        stdin: Where ``-`` reads from; standard input by default.
        selection: What of a database is read.
        dates: The period, and the dates in names by which it rules files out.
        no_archive: Knows of a file that it is no archive, without reading it.

    Raises:
        UsageError: A path does not exist or cannot be listed, or standard input is closed.
    """
    dates = dates or KeyDates()
    notes: list[str] = []
    by_identity: dict[str, Source] = {}
    lakes = Lakes(dates)
    for path in map(str, paths):
        uri = path if databases.is_database(path) else databases.uri_of_file(path)
        left_out = 0
        expanded = _expand(path, spool, stdin, notes, dates) if uri is None else _tables(uri, selection, notes)
        for source in _with_databases(expanded, selection, notes):
            if source.table is None and dates.rules_out(source.name):
                left_out += 1
                continue
            current = source if source.remote or source.table is not None else lakes.current(source)
            if current is None:
                continue
            kept = by_identity.setdefault(current.identity, current)
            if current.name < kept.name:
                by_identity[current.identity] = current
        if left_out:
            notes.append(outside_period(printable(path), left_out, "object" if is_remote(path) else "file"))
    files = [inside for source in by_identity.values() for inside in _opened(source, notes, no_archive)]
    sources = _with_distinct_names(sorted(files, key=order))
    return Found(sources=tuple(sources), notes=tuple(sorted({*notes, *lakes.notes()})))


def _tables(uri: str, selection: databases.Selection, notes: list[str]) -> Iterator[Source]:
    """Yield the tables of a database. Their size is not known before they are read."""
    found, passed_over = databases.tables(databases.parse(uri), selection)
    notes += passed_over
    for table in found:
        yield Source(
            name=table.shown,
            path=table.shown,
            size_bytes=0,
            modified_ns=0,
            identity=_identity(table),
            database=True,
            table=table,
            version=table.fingerprint,
        )


def _identity(table: databases.Table) -> str:
    """Return what tells a table from others: of a database that is a file the file, however its path is written."""
    if table.address.driver not in _DRIVERS_OF_FILES:
        return table.shown
    try:
        status = os.stat(table.address.database)  # noqa: PTH116
    except OSError:
        return table.shown
    return f"{status.st_dev}:{status.st_ino}#{table.name}"


def _with_databases(sources: Iterator[Source], selection: databases.Selection, notes: list[str]) -> Iterator[Source]:
    """Yield sources, for a file in a folder that is a database of calls its tables instead."""
    for source in sources:
        is_database = not source.remote and source.table is None and source.name.lower().endswith(_DATABASES)
        uri = databases.uri_of_file(source.path) if is_database and selection.query is None else None
        try:
            yield from [source] if uri is None else list(_tables(uri, selection, notes))
        except UsageError as error:  # of another product, damaged, or locked: its reader will reject it
            notes.append(str(error))
            yield source


def _opened(source: Source, notes: list[str], no_archive: Callable[[Source], bool]) -> Iterator[Source]:
    """Yield the files in an archive that can be opened, or the file itself."""
    found = None if source.remote or not source.size_bytes or no_archive(source) else members(source)
    for member in [source] if found is None else found:
        inside = member.name.rpartition("/")[2].rpartition("!")[2]
        if member.member is not None and (why := skip_reason(inside, folder=False)):
            notes.append(f"{member.name} was not read: {why}")
        else:
            yield member


def order(source: Source) -> tuple[str, int]:
    """Order by name; the files in a tar as they lie in it, so that it is read once from its beginning to its end."""
    if source.member is not None and source.member.sequential:
        return f"{source.member.archive.name}!", source.member.number
    return source.name, 0


def _with_distinct_names(sources: Sequence[Source]) -> Iterator[Source]:
    """Number the files whose names are shown alike, such as those that differ in bytes that are not UTF-8."""
    seen: dict[str, int] = {}
    for source in sources:
        count = seen[source.name] = seen.get(source.name, 0) + 1
        yield source if count == 1 else replace(source, name=f"{source.name}#{count}")


def _expand(path: str, spool: Path, stdin: BinaryIO | None, notes: list[str], dates: KeyDates) -> Iterator[Source]:
    if path == STANDARD_INPUT:
        yield spooled(spool, stdin or _standard_input(), STANDARD_INPUT)
    elif is_remote(path):
        from llm_audit.sources.files.stores.find import objects  # imports Arrow's clients

        yield from objects(path, notes, dates)
    elif os.path.isdir(path):  # noqa: PTH112 - the text a user typed is kept for reports
        yield from walk(path, notes)
    elif os.path.exists(path):  # noqa: PTH110
        yield named(path, spool)
    elif _WILDCARD.search(path):
        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207
        if not matches:
            raise UsageError(f"No file matches {path}. Check the pattern, and quote it so that the shell leaves it.")
        for match in matches:
            yield from _expand(match, spool, stdin, notes, dates)
    else:
        raise UsageError(
            f"{printable(path)} does not exist. Give a file, a folder, a glob, an address such as s3://bucket/prefix, "
            "or -."
        )


def _standard_input() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("Standard input is closed, so - has nothing to read. Pipe the logs in, or give their path.")
    return sys.stdin.buffer
