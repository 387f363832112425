"""``llm-audit reconcile``: compare costs stated by logs or an invoice with those computed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_audit.cli import options
from llm_audit.cli.console import progress as show_progress
from llm_audit.cli.console import say
from llm_audit.cli.table import ListFormat, show
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl


def reconcile(
    paths: options.Paths,
    *,
    invoice: Annotated[
        Path | None, typer.Option(help="Cost export of a provider, as CSV: OpenAI, Anthropic, AWS CUR or FOCUS.")
    ] = None,
    prices: options.Prices = None,
    timezone: options.Timezone = None,
    log_format: options.LogFormat = None,
    date_order: options.DateOrder = None,
    jobs: options.Jobs = None,
    cache: options.Cache = None,
    config_file: options.ConfigFile = None,
    progress: options.ShowProgress = None,
    output_format: ListFormat = "table",
) -> None:
    """Compare costs stated by logs or an invoice with those computed, by day and model, with the likely cause."""
    from llm_audit import api
    from llm_audit import config as configuration
    from llm_audit.audit.billing import is_billed
    from llm_audit.pricing import price

    flags = {
        "prices": prices,
        "timezone": timezone,
        "log_format": log_format,
        "date_order": date_order,
        "jobs": jobs,
        "cache": cache,
    }
    config = configuration.load(flags, file=config_file).config
    if invoice is not None and config.sampling_rate != 1:
        raise UsageError(
            "The configuration declares the logs a sample (sampling_rate), of which days and models cannot be compared "
            "with an invoice. `llm-audit analyze PATH --invoice FILE` compares months, scaled to all traffic."
        )
    book = api.price_book(config)
    with show_progress(wanted=progress) as update:
        ledger = api.open_ledger(paths, config=config, progress=update)
    priced = (price(ledger.scan(number).collect(), book) for number in range(ledger.partitions))
    if invoice is not None and config.billing:
        billing = api.audit_options(config).billing
        priced = (part.with_columns(**billing.columns()).filter(is_billed()) for part in priced)
        say("Requests that the configuration declares as not billed by use are left out: they are on no such invoice.")
    if invoice is None:
        from llm_audit.pricing import reconcile_stated

        rows = reconcile_stated(priced, book, timezone=config.timezone)
        if not rows.height:
            raise UsageError(
                "No request in these logs states its cost. Give the provider's cost export with --invoice."
            )
        show(_money(rows), output_format, numeric=_NUMERIC)
        return
    from llm_audit.money import usd
    from llm_audit.pricing import read_invoice, reconcile_invoice

    catalog = api.catalog(config)
    found = reconcile_invoice(priced, read_invoice(invoice, catalog=catalog), catalog=catalog)
    show(_money(found.rows), output_format, numeric=_NUMERIC)
    if found.outside_pico:
        say(f"{usd(found.outside_pico)} USD was invoiced on days or by providers that the logs do not cover.")
    for line in found.unmatched.iter_rows(named=True):
        amount = "a line" if line["amount_pico"] is None else f"{usd(line['amount_pico'])} USD"
        say(f"{invoice}:{line['line']}: {amount} not compared: {line['unmatched']}")


_NUMERIC = ("requests", "unpriced_requests", "stated", "invoiced", "computed", "difference")


def _money(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Convert the amounts of rows to dollars."""
    from llm_audit.money import usd

    return [
        {
            name.removesuffix("_pico"): value if value is None else usd(value) if name.endswith("_pico") else str(value)
            for name, value in row.items()
        }
        for row in rows.iter_rows(named=True)
    ]
