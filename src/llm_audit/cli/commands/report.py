"""``llm-audit report``: render a saved audit again without computing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_audit.cli import options
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    from llm_audit.document.audit import Document


def report(
    document: Annotated[Path, typer.Argument(metavar="AUDIT.json", help="An audit written by -o FILE.json.")],
    *,
    output: options.Output = None,
    output_format: options.Format = None,
    quiet: options.Quiet = False,
    details: options.Details = False,
) -> None:
    """Render a saved audit again, in any format that needs no rows per request."""
    from llm_audit.cli.output import check_formats, deliver

    check_formats(output or [], output_format, requests=False)
    deliver(load_document(document), output or [], output_format, quiet=quiet, details=details)


def load_document(path: Path) -> Document:
    """Read a saved audit.

    Raises:
        UsageError: The file cannot be read, or is no audit of this version.
    """
    import msgspec

    from llm_audit.document.audit import decode

    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{path} is no audit of this version: {error}. Write one with -o FILE.json.") from None
