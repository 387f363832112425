"""What the tasks of an audit share: where they leave what they find, and what all of them are given."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import astuple, replace
from xxhash import xxh3_128_hexdigest

from llm_audit.audit.parts import Job
from llm_audit.audit.stages.results import read_result
from llm_audit.engines import package_fingerprint
from llm_audit.ledger.shared import DamagedError, Relay, SharedFolder, open_folder


class Space(msgspec.Struct, kw_only=True, frozen=True):
    """Where the tasks of an audit leave what they find.

    Attributes:
        uri: The address of the folder.
        partitions: Partitions of the ledger.
        readings: The address of the folder of what is kept of partitions; by default the same.
    """

    uri: str
    partitions: int
    readings: str | None = None

    @property
    def folder(self) -> SharedFolder:
        """Return the folder."""
        return open_folder(self.uri, checked=False)

    @property
    def kept(self) -> SharedFolder:
        """Return the folder of what is kept of partitions."""
        return open_folder(self.readings or self.uri, checked=False)

    @property
    def for_others(self) -> SharedFolder | None:
        """Return the folder of what is kept for audits by other policies; None where nothing is."""
        return None if self.readings is None else self.kept

    def result(self, stage: str, number: int) -> Any:
        """Return what the task of a partition has found.

        Raises:
            DamagedError: It is missing or damaged; the message is its name.
        """
        return read_result(self.folder, result_name(stage, 0, number))


def prompts(space: Space) -> Relay:
    """Return the way of prompts that may repeat, each from its partition to the range of its hash."""
    return Relay(uri=space.uri, kind="prompts", sources=space.partitions, readers=space.partitions)


def repeats(space: Space) -> Relay:
    """Return the way of repeats, each from the range of its hash to its partition."""
    return Relay(uri=space.uri, kind="repeats", sources=space.partitions, readers=space.partitions)


def result_name(stage: str, level: int, number: int) -> str:
    """Return the name of the file of a result, or of a sum of a level."""
    return f"{stage}-{number:06d}" if level == 0 else f"{stage}-{level}-{number:06d}"


class Given(msgspec.Struct, frozen=True):
    """What all tasks of a stage are given: two files, by their hashes, which come with the task."""

    uri: str
    job: str
    log: str

    @classmethod
    def write(cls, uri: str, job: Job, log: object) -> Given:
        """Write the files."""
        return cls(uri, _write(uri, job), _write(uri, log))

    def read(self) -> tuple[Job, Any]:
        """Return the content, of which a process keeps the last.

        Raises:
            DamagedError: It is missing, or is not what was written; the message is its name.
        """
        return _read_job(self.uri, self.job), _read_log(self.uri, self.log)


def _write(uri: str, content: object) -> str:
    data = pickle.dumps(content, protocol=5)
    name = hashlib.sha256(data).hexdigest()
    open_folder(uri, checked=False).store(f"given-{name}", [data])
    return name


@lru_cache(maxsize=1)  # the same job for all stages: much is worked out from it, and kept
def _read_job(uri: str, name: str) -> Job:
    job: Job = _read(uri, name)
    return job


@lru_cache(maxsize=1)
def _read_log(uri: str, name: str) -> Any:
    return _read(uri, name)


def _read(uri: str, name: str) -> Any:
    data = open_folder(uri, checked=False).read(f"given-{name}")
    if data is None or hashlib.sha256(data).hexdigest() != name:
        raise DamagedError(f"given-{name}")
    return pickle.loads(data)  # noqa: S301 - it is what the task says it is


def identity(job: Job, *more: object) -> str:
    """Return a hash of all that decides what the tasks of an audit find, the same in every process.

    Args:
        job: The audit.
        more: Whatever else its tasks are given.
    """
    options = replace(job.options, command="", sample_command="")
    return _hash(reading_identity(job), *map(_words, (job.policy, options, *more)))


def reading_identity(job: Job) -> str:
    """Return a hash of all that decides what is kept of the job's partitions, whatever its policy."""
    ledger, book, options = job.ledger, job.book, job.options
    day = "" if ledger.manifest.dated else f"{book.undated_at:%Y-%m-%d}"
    period = (options.since, options.until, options.timezone, options.billing)
    code = (package_fingerprint(), np.__version__, pl.__version__)
    known = (_words(job.catalog.frame), _words(job.catalog.aliases))
    return _hash(*code, ledger.fingerprint(), book.fingerprint, *known, day, _words(period))


def _hash(*words: str) -> str:
    return xxh3_128_hexdigest(msgspec.json.encode(words))


def _words(value: Any) -> str:
    """Return a text that says all of a value, whatever the order of its sets and mappings."""
    if isinstance(value, pl.DataFrame):
        return xxh3_128_hexdigest(value.serialize())
    if isinstance(value, msgspec.Struct):
        return f"{type(value).__name__}({[_words(item) for item in astuple(value)]})"
    if isinstance(value, Mapping):
        return f"{{{sorted((_words(key), _words(item)) for key, item in value.items())}}}"
    if isinstance(value, set | frozenset):
        return f"{{{sorted(map(_words, value))}}}"
    if isinstance(value, list | tuple):
        return f"[{[*map(_words, value)]}]"
    return repr(value)
