"""``llm-audit report``: render a saved audit again without computing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llm_audit.cli import options
from llm_audit.errors import UsageError


def report(
    document: Annotated[Path, typer.Argument(metavar="AUDIT.json", help="An audit written by -o FILE.json.")],
    *,
    output: options.Output = None,
    output_format: options.Format = None,
    quiet: options.Quiet = False,
    details: options.Details = False,
) -> None:
    """Render a saved audit again, in any format that needs no rows per request."""
    import msgspec

    from llm_audit.audit.document import decode
    from llm_audit.cli.output import check_formats, print_document, write_documents

    check_formats(output or [], output_format)
    try:
        audit = decode(document.read_bytes())
    except OSError as error:
        raise UsageError(f"Cannot read {document}: {error.strerror}.") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{document} is no audit of this version: {error}. Write one with -o FILE.json.") from None
    print_document(audit, output_format, quiet=quiet, details=details)
    write_documents(audit, output or [])
