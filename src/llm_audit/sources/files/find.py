"""Discovery of the files behind the paths a user gives: folders walked, globs expanded, S3 prefixes listed."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from llm_audit.errors import UsageError
from llm_audit.sources.files.storage import S3_SCHEME, Source, error_text, s3

STANDARD_INPUT = "-"
_WILDCARD = re.compile(r"[*?\[]")
_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".swp", ".lock", "~", "-wal", "-shm", "-journal")
_NO_LOGS = (".md", ".rst", ".html", ".toml", ".yaml", ".yml", ".ini", ".cfg", ".py", ".sh", ".ipynb")
_MARKERS = ("_SUCCESS", "_committed_", "_started_")  # written next to data by Hadoop and Spark


@dataclass(frozen=True, slots=True)
class Found:
    """The files to read, sorted by name, and a note for each file or folder skipped."""

    sources: tuple[Source, ...]
    notes: tuple[str, ...]


def find(paths: Sequence[str | Path], *, spool: Path, stdin: BinaryIO | None = None) -> Found:
    """List the files of logs behind these paths, each once, sorted by name.

    Args:
        paths: Files, folders (walked), globs, ``-`` for standard input, ``s3://bucket/prefix``.
        spool: A folder for what comes from standard input, which cannot be read twice.
        stdin: Where ``-`` reads from; standard input by default.

    Raises:
        UsageError: A path does not exist or cannot be listed, or standard input is closed.
    """
    notes: list[str] = []
    by_identity: dict[str, Source] = {}
    for path in map(str, paths):
        for source in _expand(path, spool, stdin, notes):
            kept = by_identity.setdefault(source.identity, source)
            if source.name < kept.name:
                by_identity[source.identity] = source
    sources = sorted(by_identity.values(), key=lambda source: source.name)
    return Found(sources=tuple(sources), notes=tuple(sorted(set(notes))))


def _expand(path: str, spool: Path, stdin: BinaryIO | None, notes: list[str]) -> Iterator[Source]:
    if path == STANDARD_INPUT:
        yield _spooled(spool / "standard-input", stdin or _standard_input())
    elif path.startswith(S3_SCHEME):
        yield from _s3_objects(path, notes)
    elif os.path.isdir(path):  # noqa: PTH112 - the text a user typed is kept for reports
        yield from _walk(path, notes, set())
    elif os.path.exists(path):  # noqa: PTH110
        yield _local(path)
    elif _WILDCARD.search(path):
        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207
        if not matches:
            raise UsageError(f"No file matches {path}. Check the pattern, and quote it so that the shell leaves it.")
        for match in matches:
            yield from _expand(match, spool, stdin, notes)
    else:
        raise UsageError(f"{path} does not exist. Give a file, a folder, a glob, s3://bucket/prefix or -.")


def _walk(folder: str, notes: list[str], seen: set[tuple[int, int]]) -> Iterator[Source]:
    try:
        status = os.stat(folder)  # noqa: PTH116
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(f"Cannot list {folder}: {error_text(error)}. Check that it may be read.") from None
    if (status.st_dev, status.st_ino) in seen:  # a link back up
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in entries:
        if why := _skip_reason(entry.name, folder=entry.is_dir()):
            notes.append(f"{entry.path} was not read: {why}")
        elif entry.is_dir():
            yield from _walk(entry.path, notes, seen)
        elif entry.is_file():
            yield _local(entry.path)
        else:
            notes.append(f"{entry.path} was not read: not a regular file")


def _skip_reason(name: str, *, folder: bool) -> str | None:
    if name.startswith("."):
        return "hidden"
    if folder:
        return None
    if name.endswith(_UNFINISHED) or name.startswith(_MARKERS):
        return "a temporary or marker file"
    return "not a log by its name" if name.lower().endswith(_NO_LOGS) else None


def _local(path: str) -> Source:
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error_text(error)}. Check that it may be read.") from None
    return Source(
        name=path,
        path=os.path.abspath(path),  # noqa: PTH100 - links stay as they are
        size_bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
        identity=f"{status.st_dev}:{status.st_ino}",
    )


def _spooled(target: Path, stream: BinaryIO) -> Source:
    with target.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
    return replace(_local(str(target)), name=STANDARD_INPUT)


def _standard_input() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("Standard input is closed, so - has nothing to read. Pipe the logs in, or give their path.")
    return sys.stdin.buffer


def _s3_objects(path: str, notes: list[str]) -> Iterator[Source]:
    from pyarrow import fs

    key = path.removeprefix(S3_SCHEME).rstrip("/")
    wildcard = _WILDCARD.search(key)
    base = key[: wildcard.start()].rpartition("/")[0] if wildcard else key
    try:
        client = s3()
        infos = client.get_file_info([base])
        if infos[0].type == fs.FileType.Directory:
            infos = client.get_file_info(fs.FileSelector(base, recursive=True))
    except OSError as error:
        raise UsageError(
            f"Cannot list {path}: {error_text(error)}. Check the bucket, the region, the endpoint and the credentials."
        ) from None
    found = False
    for info in infos:
        if info.type != fs.FileType.File or (wildcard and not fnmatch.fnmatchcase(info.path, key)):
            continue
        found = True
        name = S3_SCHEME + info.path
        inside = info.path.removeprefix(base).split("/")
        if why := any(part.startswith(".") for part in inside) or _skip_reason(inside[-1], folder=False):
            notes.append(f"{name} was not read: {'hidden' if why is True else why}")
            continue
        yield Source(name=name, path=name, size_bytes=info.size or 0, modified_ns=info.mtime_ns or 0, identity=name)
    if not found:
        raise UsageError(f"{path} holds no objects. Check the bucket and the prefix.")
