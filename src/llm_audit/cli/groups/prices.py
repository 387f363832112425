"""``llm-audit prices``: list, show, verify and compare prices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_audit.cli import options
from llm_audit.cli.console import say
from llm_audit.cli.table import ListFormat, show
from llm_audit.errors import ExitCode, UsageError
from llm_audit.suggestions import suggest
from llm_audit.vocabulary import ServiceTier

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.pricing import PriceBook

app = typer.Typer(no_args_is_help=True)

At = Annotated[str | None, typer.Option(help="Day of the prices, such as 2025-06-01; today by default.")]
Provider = Annotated[str | None, typer.Option(help="Name of a provider.")]


@app.command("list")
def list_(
    model: Annotated[str, typer.Argument(help="A model, or a pattern with *.")] = "*",
    *,
    provider: Annotated[str, typer.Option(help="A provider, or a pattern with *.")] = "*",
    service_tier: Annotated[
        str, typer.Option(help="standard, batch, flex, priority, fast or provisioned.")
    ] = "standard",
    at: At = None,
    prices: options.Prices = None,
    config_file: options.ConfigFile = None,
    output_format: ListFormat = "table",
) -> None:
    """List prices, in dollars per million tokens."""
    from llm_audit.pricing import list_prices

    if service_tier not in frozenset(ServiceTier):
        raise UsageError(f"There is no service tier {service_tier!r}; use {', '.join(ServiceTier)}.")
    found = list_prices(
        _book(prices, config_file), provider=provider, model=model, at=options.day(at), service_tier=service_tier
    )
    if not found.height:
        raise UsageError(f"No price matches {provider}/{model}; `llm-audit prices list` shows all.")
    show(_rows(found), output_format, numeric=_NUMERIC)


@app.command("show")
def show_one(
    model: Annotated[str, typer.Argument(help="Model, as logs name it.")],
    *,
    provider: Provider = None,
    region: Annotated[str | None, typer.Option(help="A cloud region.")] = None,
    at: At = None,
    prices: options.Prices = None,
    config_file: options.ConfigFile = None,
    output_format: ListFormat = "table",
) -> None:
    """Show one model's prices in full: every service tier and context tier, their source, and dates of changes."""
    from llm_audit.pricing import price_details

    day = options.day(at)
    found = price_details(_book(prices, config_file), provider, model, at=day, region=region)
    if found.reason is not None:
        hint = suggest(found.suggestions) or (
            f" `llm-audit prices list '{model[:4].strip('*')}*'` lists prices by name; a price file may give this one "
            "(--prices FILE)."
        )
        raise UsageError(f"{model} has no price on {day}: {found.reason.value.replace('_', ' ')}.{hint}")
    show(_rows(found.rates), output_format, numeric=_NUMERIC)
    if output_format == "table" and found.changes:
        say(f"The price changes on {', '.join(map(str, found.changes))}.")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A price file.")], *, output_format: ListFormat = "table"
) -> int:
    """Check a price file against the price table. Exits with 3 when a price looks wrong."""
    from llm_audit.pricing import verify_price_file

    found = verify_price_file(file)
    show(
        [{"rule": rule.where, "models": rule.models, "notes": " ".join(rule.notes) or "ok"} for rule in found],
        output_format,
        numeric=("models",),
    )
    return int(ExitCode.INCOMPLETE if any(rule.notes for rule in found) else ExitCode.DONE)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="A day, such as 2025-06-01.")],
    after: Annotated[str | None, typer.Argument(help="A later day; today by default.")] = None,
    *,
    model: Annotated[str, typer.Option(help="A model, or a pattern with *.")] = "*",
    provider: Annotated[str, typer.Option(help="A provider, or a pattern with *.")] = "*",
    prices: options.Prices = None,
    config_file: options.ConfigFile = None,
    output_format: ListFormat = "table",
) -> None:
    """List the prices that differ between two days, in dollars per million tokens."""
    from llm_audit.pricing import diff_prices, list_prices

    book = _book(prices, config_file)
    sides = [list_prices(book, provider=provider, model=model, at=options.day(day)) for day in (before, after)]
    changed = diff_prices(*sides).with_columns(_per_million("before"), _per_million("after"))
    show(changed.to_dicts(), output_format, numeric=("context_from", "before", "after"))


_NUMERIC = ("from tokens", "input", "cache_read", "cache_write_5m", "cache_write_1h", "output")


def _book(prices: list[str] | None, config_file: Path | None) -> PriceBook:
    from llm_audit import api
    from llm_audit import config as configuration

    return api.price_book(configuration.load({"prices": prices}, file=config_file).config)


def _rows(rates: pl.DataFrame) -> list[dict[str, Any]]:
    from llm_audit.money import usd

    def per_million(rate: int | None) -> str | None:
        return None if rate is None else usd(rate * 10**6)

    return [
        {
            "provider": row["provider"],
            "model": row["model"],
            "tier": row["service_tier"],
            "since": row["since"],
            "from tokens": row["context_from"],
            **{kind: per_million(row[f"{kind}_rate"]) for kind in _NUMERIC[1:]},
            "source": row["source"],
        }
        for row in rates.iter_rows(named=True)
    ]


def _per_million(column: str) -> pl.Expr:
    import polars as pl

    from llm_audit.money import usd

    return pl.col(column).map_elements(lambda rate: usd(rate * 10**6), return_dtype=pl.String)
