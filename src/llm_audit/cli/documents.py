"""Saved audits, and audits made where a path names logs instead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.errors import UsageError

if TYPE_CHECKING:
    from llm_audit.config import Config
    from llm_audit.document.audit import Document
    from llm_audit.pricing import Invoice

_NAMES = (b'"schema_version"', b'"tool"', b'"command"', b'"period"', b'"currency"', b'"currency_note"', b'"requests"')
"""Fields near the top of an audit."""


def load_document(path: Path) -> Document:
    """Read a saved audit.

    Raises:
        UsageError: The file cannot be read, or is not an audit of this version.
    """
    import msgspec

    from llm_audit.document.audit import decode

    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"Cannot read {path}: {error.strerror}. Give an audit saved with `-o FILE.json` or --save-baseline."
        ) from None
    except msgspec.DecodeError as error:
        raise UsageError(
            f"{path} cannot be read as an audit: {error}. Audit the logs again with this version of llm-audit: "
            f"`llm-audit analyze PATH -o FILE.json`."
        ) from None


def read_invoices(files: Sequence[Path], config: Config) -> list[Invoice]:
    """Read providers' cost exports.

    Raises:
        UsageError: One cannot be read.
    """
    if not files:
        return []
    from llm_audit import api
    from llm_audit.pricing import read_invoice

    catalog = api.catalog(config)
    return [read_invoice(file, catalog=catalog) for file in files]


def load_or_audit(path: str, config: Config) -> Document:
    """Read a saved audit, or audit the logs or ledger that the path names.

    Raises:
        UsageError: The path cannot be read.
    """
    from llm_audit.cli.audit_run import run_audit

    if path.endswith(".json") and _is_audit(Path(path)):
        return load_document(Path(path))
    return run_audit([path], config, {}).document


def _is_audit(path: Path) -> bool:
    """Tell an audit, even a damaged one, from a JSON log by the names of its first fields."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError:
        return False
    return _NAMES[0] in start[:200] or sum(name in start for name in _NAMES) >= 3
