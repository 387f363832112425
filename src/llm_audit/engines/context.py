"""The configuration of an ingest, small enough to send to another process, and the context it loads there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
from xxhash import xxh3_128, xxh3_128_digest

from llm_audit.classify.weights import shipped_fingerprint
from llm_audit.sources.entry import Request
from llm_audit.sources.formats import plugins, registry
from llm_audit.sources.formats.interface import Format

if TYPE_CHECKING:
    from llm_audit.classify import Classifier
    from llm_audit.classify.learning.calibration import Calibration
    from llm_audit.engines.row_batches import Harder, Judge

AUDIT_HALF = frozenset(
    {
        "document", "pricing", "policy", "audit", "compare", "report", "notebook", "api", "cli",
        "config.py", "toml_reader.py", "__main__.py",
    }
)  # fmt: skip
"""Parts of the package that ingest never imports, so that changing them cannot change a row."""

_HASHED_SUFFIXES = (".py", ".c", ".h", ".npz", ".bin", ".csv", ".json", ".toml", ".xz", ".parquet")


class IngestContext(msgspec.Struct, kw_only=True, frozen=True):
    """Everything that reading and judging records needs, loaded.

    Attributes:
        formats: The formats in the order in which they are tried.
        judge: Judges a batch of texts in UTF-8.
        fill: Counts tokens where a log states none.
        forced: The format that every record is read as, where the user asked for one.
        date_order: The order of the numbers of a date, where the user states it.
        harder: What a calibration adds to difficulties by category and template.
    """

    formats: Sequence[Format]
    judge: Judge
    fill: Callable[[Request], None]
    forced: Format | None = None
    date_order: str | None = None
    harder: Harder | None = None


class IngestConfig(msgspec.Struct, kw_only=True, frozen=True):
    """The user's options for reading and judging.

    Attributes:
        log_format: Read every record as this format.
        date_order: The order of the numbers of a date: ``dmy``, ``mdy`` or ``ymd``.
        mapping: Ledger field to JSON path, for logs of no known format.
        calibration: The path of a file that ``calibrate`` wrote.
    """

    log_format: str | None = None
    date_order: str | None = None
    mapping: dict[str, str] = msgspec.field(default_factory=dict)
    calibration: str | None = None

    def formats(self) -> tuple[Format, ...]:
        """Return the formats in the order in which they are tried; the user's own mapping first."""
        return (*self._mapped(), *registry.all_formats())

    def forced(self) -> Format | None:
        """Return the format that every record is read as; None where it is to be detected.

        Raises:
            UsageError: There is no such format.
        """
        if self.log_format is None:
            return None
        mapped = self._mapped()
        return mapped[0] if mapped and self.log_format == mapped[0].info.name else registry.get(self.log_format)

    def load_context(self) -> IngestContext:
        """Load what reading and judging needs; this takes some 0.2 s in a new process."""
        from llm_audit.tokens.estimate import fill

        learnt = self._learnt()
        return IngestContext(
            formats=self.formats(),
            judge=self.classifier().judge_encoded,
            fill=fill,
            forced=self.forced(),
            date_order=self.date_order,
            harder=None if learnt is None or learnt.posterior is None else learnt.posterior.harder,
        )

    def classifier(self) -> Classifier:
        """Return the classifier, calibrated where a calibration is given.

        Raises:
            UsageError: The calibration cannot be read, or was made for other weights.
        """
        shipped, learnt = shipped_classifier(), self._learnt()
        return shipped if learnt is None else learnt.apply(shipped)

    def _learnt(self) -> Calibration | None:
        if self.calibration is None:
            return None
        from llm_audit.classify.learning.calibration import Calibration

        return Calibration.load(Path(self.calibration))

    def fingerprints(self) -> dict[str, str]:
        """Return the versions of everything that decides a row: the code, the classifier and the options."""
        return {
            "ingest": code_fingerprint(),
            "classifier": shipped_fingerprint() if self.calibration is None else self.classifier().fingerprint,
            "options": self.fingerprint(),
        }

    def fingerprint(self) -> str:
        """Return a hash of the options that decide how records are read and judged."""
        calibrated = self.classifier().fingerprint if self.calibration else None  # the path's content may change
        options = (self.log_format, sorted(self.mapping.items()), calibrated, self.date_order)
        return xxh3_128(repr(options).encode()).hexdigest()

    def _mapped(self) -> tuple[Format, ...]:
        if not self.mapping:
            return ()
        from llm_audit.sources.mapping import build

        return (build(self.mapping),)


def load_context(config: IngestConfig, run: str) -> IngestContext:
    """Return what reading and judging needs, loaded once for each process of a run.

    Not for longer: a later run may find another calibration at the same path, or other plug-ins.
    """
    if run not in _loaded:
        _loaded.clear()  # a process serves one run at a time
        _loaded[run] = config.load_context()
    return _loaded[run]


def new_run() -> str:
    """Return a name that no other run has."""
    return uuid4().hex


_loaded: dict[str, IngestContext] = {}


@lru_cache(maxsize=1)
def shipped_classifier() -> Classifier:
    """Return the classifier of the package, loaded once."""
    from llm_audit.classify import Classifier

    return Classifier.load()


@lru_cache(maxsize=1)
def code_fingerprint() -> str:
    """Return a hash of all code and data that can decide a row: the package without its audit half, and plug-ins."""
    state = xxh3_128(_hash(_own_files(), without=AUDIT_HALF).encode())
    state.update(plugins.fingerprint().encode())
    return state.hexdigest()


@lru_cache(maxsize=1)
def package_fingerprint() -> str:
    """Return a hash of all code and data of the package, which decide a document of given rows and settings."""
    return _hash(_own_files())


def hash_ingest_files(package: Traversable) -> str:
    """Return a hash of the paths and contents of a package's files that are not of its audit half."""
    return _hash(_files(package), without=AUDIT_HALF)


@lru_cache(maxsize=1)
def _own_files() -> tuple[tuple[str, bytes], ...]:
    return tuple(_files(resources.files("llm_audit")))


def _hash(files: Iterable[tuple[str, bytes]], *, without: frozenset[str] = frozenset()) -> str:
    """Return a hash of files, given the path and the hash of each, without those of some top-level names."""
    state = xxh3_128()
    for path, content in sorted(files):
        if path.partition("/")[0] not in without:
            state.update(f"{path}\0".encode())
            state.update(content)
    return state.hexdigest()


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield the path and the hash of the content of each file below a folder."""
    for item in folder.iterdir():
        name = item.name
        if name.endswith(_HASHED_SUFFIXES):
            yield f"{prefix}{name}", xxh3_128_digest(item.read_bytes())
        elif "." not in name and name != "__pycache__" and item.is_dir():
            yield from _files(item, f"{prefix}{name}/")
