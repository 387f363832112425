"""``llm-audit analyze``: audit logs and report the result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llm_audit.cli import options


def analyze(
    paths: options.Paths,
    *,
    output: options.Output = None,
    output_format: options.Format = None,
    policy: options.Policy = None,
    prices: options.Prices = None,
    calibration: options.Calibration = None,
    invoice: options.Invoices = None,
    since: options.Since = None,
    until: options.Until = None,
    timezone: options.Timezone = None,
    sampling_rate: options.SamplingRate = None,
    currency: options.Currency = None,
    group_by: options.GroupBy = None,
    pseudonymize: options.Pseudonymize = None,
    log_format: options.LogFormat = None,
    date_order: options.DateOrder = None,
    query: options.Query = None,
    key_date: options.KeyDate = None,
    save_ledger: Annotated[Path | None, typer.Option(help="Save the ledger in this folder, to audit it again.")] = None,
    ledger: options.Ledger = None,
    update: Annotated[
        bool, typer.Option("--update", help="Read only what is new or has changed since the ledger's last update.")
    ] = False,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="With --update: leave out the requests of logs that are gone.")
    ] = False,
    overlap_hours: options.OverlapHours = None,
    strict: options.Strict = None,
    jobs: options.Jobs = None,
    engine: options.Engine = None,
    workspace: options.Workspace = None,
    cache: options.Cache = None,
    config_file: options.ConfigFile = None,
    progress: options.ShowProgress = None,
    quiet: options.Quiet = False,
    details: options.Details = False,
    explain_metrics: Annotated[
        bool, typer.Option("--explain-metrics", help="Print a glossary of the terms at the end.")
    ] = False,
) -> int:
    """Audit logs: actual cost, what the policy would have cost, and where most can be saved.

    Exits with 0 when the audit is complete, and with 3 when there was nothing to audit or too much was rejected or
    unpriced.
    """
    from llm_audit import config as configuration
    from llm_audit.audit.currency import convert
    from llm_audit.cli.audit_run import Update, run_audit
    from llm_audit.cli.completeness import completeness
    from llm_audit.cli.documents import read_invoices
    from llm_audit.cli.output import check_formats, deliver
    from llm_audit.pricing import parse_currency
    from llm_audit.report.interface import Frames

    check_formats(output or [], output_format)
    flags = {
        "policy": policy,
        "prices": prices,
        "calibration": calibration,
        "timezone": timezone,
        "sampling_rate": sampling_rate,
        "currency": currency,
        "group_by": group_by,
        "pseudonymize": pseudonymize,
        "log_format": log_format,
        "date_order": date_order,
        "key_date": key_date,
        "strict": strict,
        "jobs": jobs,
        "engine": engine,
        "workspace": workspace,
        "ledger": ledger,
        "overlap_hours": overlap_hours,
        "cache": cache,
    }
    config = configuration.load(flags, file=config_file).config
    kept = Update.of(config, given=ledger, wanted=update, drop_missing=drop_missing, overlap_hours=overlap_hours)
    shown_in = parse_currency(config.currency)
    shown = False if quiet else progress
    exports = read_invoices(invoice or [], config)  # before any work
    said = {**flags, "invoice": invoice}
    audit = run_audit(
        paths, config, said, since=since, until=until, query=query, progress=shown, save_ledger=save_ledger, update=kept
    )
    document = audit.document
    if exports:
        from llm_audit import api
        from llm_audit.audit.invoices.tie_out import with_invoices
        from llm_audit.pricing import costs_by_day

        document = with_invoices(document, costs_by_day(audit.requests, catalog=api.catalog(config)), exports)
    document = convert(document, shown_in)
    frames = Frames(make=lambda: audit.requests, parts=audit.request_parts)
    deliver(document, output or [], output_format, frames=frames, quiet=quiet, details=details)
    if explain_metrics:
        from rich.console import Console

        from llm_audit.report.terminal.screen import print_glossary

        print_glossary(Console(stderr=True))
    return completeness(audit.document, config)
