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
    invoice: options.Invoices = None,
    config_file: options.ConfigFile = None,
    quiet: options.Quiet = False,
    details: options.Details = False,
) -> None:
    """Render a saved audit again, in any format without a row per request; --invoice ties it out first."""
    from llm_audit.cli.documents import load_document, read_invoices
    from llm_audit.cli.output import check_formats, deliver

    check_formats(output or [], output_format, requests=False)
    found = load_document(document)
    if invoice:
        from llm_audit import api
        from llm_audit import config as configuration
        from llm_audit.audit.invoices.saved_days import days_of
        from llm_audit.audit.invoices.tie_out import with_invoices

        config = configuration.load(file=config_file).config
        exports = read_invoices(invoice, config)
        found = with_invoices(found, days_of(found, catalog=api.catalog(config)), exports)
    deliver(found, output or [], output_format, quiet=quiet, details=details)
