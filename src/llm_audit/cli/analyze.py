"""``llm-audit analyze``: the audit."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_audit.cli import console, options
from llm_audit.errors import ExitCode

if TYPE_CHECKING:
    from llm_audit.audit.document import Document
    from llm_audit.config import Config


def analyze(
    paths: options.Paths,
    *,
    output: options.Output = None,
    output_format: options.Format = None,
    policy: options.Policy = None,
    prices: options.Prices = None,
    since: options.Since = None,
    until: options.Until = None,
    timezone: options.Timezone = None,
    group_by: options.GroupBy = None,
    log_format: options.LogFormat = None,
    save_ledger: Annotated[Path | None, typer.Option(help="Keep the ledger in this folder, to audit again.")] = None,
    strict: options.Strict = None,
    jobs: options.Jobs = None,
    cache: options.Cache = None,
    config_file: options.ConfigFile = None,
    progress: options.ShowProgress = None,
    quiet: options.Quiet = False,
    details: options.Details = False,
) -> int:
    """Audit logs: what was spent, what the policy would have cost, and where to act first.

    Ends with 0 when the audit is complete and 3 when it is not: nothing to audit, or too much rejected or unpriced.
    """
    from llm_audit import api
    from llm_audit import config as configuration
    from llm_audit.cli.output import check_formats, print_document, write_documents

    check_formats(output or [], output_format)
    flags = {
        "policy": policy,
        "prices": prices,
        "timezone": timezone,
        "group_by": group_by,
        "log_format": log_format,
        "strict": strict,
        "jobs": jobs,
        "cache": cache,
    }
    settings = configuration.load(flags, file=config_file).config
    with console.progress(wanted=False if quiet else progress) as update:
        ledger = api.open_ledger(paths, config=settings, progress=update)
    run_options = api.audit_options(settings, since=since, until=until, command=_command(paths, flags, since, until))
    audit = api.audit_ledger(ledger, config=settings, options=run_options)
    if save_ledger is not None:
        from llm_audit.ledger import write_ledger

        write_ledger(ledger, save_ledger)
    print_document(audit.document, output_format, requests=audit.requests, quiet=quiet, details=details)
    write_documents(audit.document, output or [], requests=audit.requests)
    return _completeness(audit.document, settings)


def _command(paths: Sequence[str], flags: dict[str, Any], since: str | None, until: str | None) -> str:
    """The command that reproduces the audit, without what cannot change a figure."""
    words = ["llm-audit", "analyze", *paths]
    for name, value in {**flags, "since": since, "until": until}.items():
        if value is None or name in {"jobs", "cache", "strict"}:
            continue
        for item in value if isinstance(value, list) else [value]:
            words += [f"--{name.replace('_', '-')}", str(item)]
    return shlex.join(words)


def _completeness(document: Document, settings: Config) -> int:
    """0, or 3 with the reasons on standard error."""
    requests, cost = document.requests, document.cost
    limits = (
        (requests.rejected, requests.read, settings.max_rejected_share, "records were rejected", "max_rejected_share"),
        (
            cost.unpriced_requests,
            requests.audited,
            settings.max_unpriced_share,
            "requests lack a price",
            "max_unpriced_share",
        ),
    )
    incomplete = False
    for count, total, share, what, name in limits:
        allowed = 0 if settings.strict else share * total
        if count > allowed:
            limit = "--strict allows none" if settings.strict else f"{name} is {share:g}"
            console.fail(f"The audit is incomplete: {count:,} of {total:,} {what}; {limit}.")
            incomplete = True
    return int(ExitCode.INCOMPLETE if incomplete else ExitCode.DONE)
