"""``llm-audit report``: render a saved audit without computing it again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llm_audit.cli import options


def report(
    document: Annotated[Path, typer.Argument(metavar="AUDIT.json", help="Audit written by -o FILE.json.")],
    *,
    output: options.Output = None,
    output_format: options.Format = None,
    quiet: options.Quiet = False,
    details: options.Details = False,
) -> None:
    """Render a saved audit again, in any format without a row per request."""
    from llm_audit.cli.documents import load_document
    from llm_audit.cli.output import check_formats, deliver

    check_formats(output or [], output_format, requests=False)
    deliver(load_document(document), output or [], output_format, quiet=quiet, details=details)
