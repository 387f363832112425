"""Audits kept between runs.

An audit is a pure function of the ledger, the settings, the files that they name, the options, and the code and data of
the program: its document is kept in the cache under a hash of all of them, and is not made again while none changes.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from xxhash import xxh3_128

from llm_audit.errors import AuditWarning

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.audit.options import AuditOptions
    from llm_audit.config import Config
    from llm_audit.document.audit import Document
    from llm_audit.engines import Executor
    from llm_audit.ledger import Ledger
    from llm_audit.notebook import Audit

_LIBRARIES = ("genai-prices", "numpy", "polars", "tzdata")


class KeptAudit(msgspec.Struct, kw_only=True, frozen=True, dict=True):  # the audit is kept once it was asked for
    """An audit's document, and the audit itself where more of it is asked for.

    Attributes:
        document: All that a report shows.
        make: Returns the audit.
    """

    document: Document
    make: Callable[[], Audit]

    @cached_property
    def requests(self) -> pl.DataFrame:
        """A row a request, as ``Audit.requests``."""
        return self._audit.requests

    def request_parts(self) -> Iterator[pl.DataFrame]:
        """Yield the same rows partition by partition."""
        return self._audit.request_parts()

    @cached_property
    def _audit(self) -> Audit:
        return self.make()


def audit(ledger: Ledger, config: Config, options: AuditOptions, *, executor: Executor | None = None) -> KeptAudit:
    """Return the audit of a ledger: from the cache where it holds it, else made and stored there.

    Raises:
        UsageError: A setting or the policy cannot be used.
        IncompleteError: There is nothing to audit.
    """
    from llm_audit.document.audit import Document
    from llm_audit.ledger import PartCache

    def make(run_on: Executor | None = None) -> Audit:
        from llm_audit import api

        return api.audit_ledger(ledger, config=config, options=options, executor=run_on)

    cache = PartCache.open() if config.cache else None
    key = None if cache is None else _key(ledger, config, options)
    if cache is None or key is None:
        made = make(executor)
        return KeptAudit(document=made.document, make=lambda: made)
    kept = cache.document(key, Document)
    if cache.damaged:
        warnings.warn(
            f"The cache {cache.folder} was damaged: an audit kept there was removed, and is made again.",
            AuditWarning,
            stacklevel=2,
        )
    if kept is not None:
        return KeptAudit(document=kept, make=make)
    made = make(executor)
    cache.store_document(key, made.document)
    return KeptAudit(document=made.document, make=lambda: made)


def _key(ledger: Ledger, config: Config, options: AuditOptions) -> str | None:
    """Return a hash of everything that the document depends on; None where something cannot be read."""
    from llm_audit.engines import package_fingerprint

    state = xxh3_128()
    try:
        words = [
            package_fingerprint(),
            sys.version,
            *(f"{name} {_version(name)}" for name in _LIBRARIES),
            ledger.fingerprint(),
            config.fingerprint,
            repr([*config.aliases.items()]),  # of which the order decides, and the fingerprint sorts it
            repr(options),
            *_today(ledger),
        ]
        for part in (*(word.encode(errors="surrogatepass") for word in words), *_contents(config)):
            state.update(len(part).to_bytes(8, "big"))
            state.update(part)
    except OSError:  # whatever reads the file next says why
        return None
    return state.hexdigest()


def _today(ledger: Ledger) -> list[str]:
    """Return the day on which a ledger without any time is priced; none where it has a time."""
    return [] if ledger.manifest.dated else [f"{datetime.now(UTC):%Y-%m-%d}"]


def _contents(config: Config) -> Iterator[bytes]:
    """Yield the content of each file that the settings name; their fingerprint has the names.

    Raises:
        OSError: One cannot be read, or is none that can be read twice.
    """
    for name in (config.policy, *config.prices, config.calibration):
        path = Path(name or "")
        if name is None or not path.exists():  # such as the name of a preset
            yield b"-"
        elif path.is_file():
            yield b"+" + path.read_bytes()
        else:
            raise OSError


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
