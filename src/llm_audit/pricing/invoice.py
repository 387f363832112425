"""Read a provider's cost export in CSV as lines of day, model and amount.

Known exports: OpenAI's costs, Anthropic's costs, the AWS Cost and Usage Report (1.0 and 2.0 column names), and FOCUS
(https://focus.finops.org). They are recognised by their columns.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import polars as pl

from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.pricing.invoice_cells import read_amount, read_day

Line = Mapping[str, str]

NO_MODEL = "no known model named"
"""Why a line that has an amount, a day and a provider cannot be compared by model."""

LINES_SCHEMA: dict[str, type[pl.DataType]] = {
    "line": pl.Int64,
    "day": pl.Date,
    "provider": pl.String,
    "model_id": pl.String,
    "item": pl.String,
    "amount_pico": pl.Int128,
    "unmatched": pl.String,
}
"""Columns of an invoice's lines: ``item`` describes the charge; ``unmatched`` is why it cannot be compared, or null."""


class Invoice(msgspec.Struct, kw_only=True, frozen=True):
    """The content of a cost export.

    Attributes:
        path: The file.
        kind: ``openai``, ``anthropic``, ``aws-cur`` or ``focus``.
        lines: Columns of ``LINES_SCHEMA``, one row for each line with an amount other than zero.
    """

    path: Path
    kind: str
    lines: pl.DataFrame


class _Export(msgspec.Struct, kw_only=True, frozen=True):
    """One kind of export: its column names in lower case, in order of preference."""

    kind: str
    required: tuple[tuple[str, ...], ...]
    day: tuple[str, ...]
    amount: tuple[str, ...]
    item: tuple[str, ...]
    currency: tuple[str, ...] = ()
    provider: Callable[[Line], str | None]
    is_relevant: Callable[[Line], bool] = lambda _: True


def read_invoice(path: Path, *, catalog: Catalog) -> Invoice:
    """Read a cost export.

    Raises:
        UsageError: The file cannot be read, or its columns match no known export.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            header = [name.strip().lower() for name in reader.fieldnames or ()]
            reader.fieldnames = header
            export = _detect_export(header, path)
            lines = [line for number, row in enumerate(reader, 2) if (line := _line(number, row, export, catalog))]
    except OSError as error:
        raise UsageError(f"Cannot read the invoice {path}: {error.strerror}. Give another with --invoice.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is not a CSV file in UTF-8: {error}. Export it again as CSV.") from None
    return Invoice(path=path, kind=export.kind, lines=pl.DataFrame(lines, schema=LINES_SCHEMA))


def _detect_export(header: list[str], path: Path) -> _Export:
    for export in _EXPORTS:
        if all(any(name in header for name in names) for names in export.required):
            return export
    raise UsageError(
        f"{path}:1: the columns match no known cost export. Give a CSV of OpenAI or Anthropic costs, an AWS "
        "Cost and Usage Report or a FOCUS export."
    )


def _line(number: int, row: Line, export: _Export, catalog: Catalog) -> dict[str, object] | None:
    """Return one line; None where it costs nothing or is not for a language model."""
    written = _value(row, export.amount)
    amount = None if written is None else read_amount(written)
    if amount == 0 or not export.is_relevant(row):
        return None
    item = " ".join(filter(None, (_value(row, (name,)) for name in export.item)))
    day, provider = read_day(_value(row, export.day)), export.provider(row)
    model_id = find_model(item, provider, catalog)
    currency = (_value(row, export.currency) or "usd").lower()
    unmatched = None
    if amount is None:
        unmatched = "no amount" if written is None else f"no clear amount: {written}"
    elif currency != "usd":
        unmatched = f"in {currency.upper()}, not in dollars"
    elif day is None:
        unmatched = "no day"
    elif model_id is None:
        unmatched = NO_MODEL
    return {
        "line": number,
        "day": day,
        "provider": provider,
        "model_id": model_id,
        "item": item,
        "amount_pico": amount,
        "unmatched": unmatched,
    }


def find_model(item: str, provider: str | None, catalog: Catalog) -> str | None:
    """Return the model line that an invoice item names, also within a word: ``USE1-Claude3.5Sonnet-input-tokens``."""
    for part in re.split(r"[,;|\s]+", item):
        if model_id := catalog.resolve(provider, part):
            return model_id
    compact_item = _compact(item)
    return next(
        (model_id for short, model_id in _compact_names(tuple(catalog.frame["model_id"])) if short in compact_item),
        None,
    )


@functools.cache
def _compact_names(model_ids: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return model lines without punctuation, the longest first, with the variants that Bedrock writes."""
    names = []
    for model_id in model_ids:
        plain = _compact(model_id)
        variants = {plain, plain.removesuffix("instruct")}
        if claude := re.fullmatch(r"claude(haiku|sonnet|opus)([\d]+)", plain):
            variants.add(f"claude{claude[2]}{claude[1]}")
        names += [(variant, model_id) for variant in variants if len(variant) >= 6]
    return sorted(names, key=lambda name: (-len(name[0]), name))


def _compact(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _value(row: Line, names: tuple[str, ...]) -> str | None:
    return next((row[name].strip() for name in names if row.get(name) and row[name].strip()), None)


def _aws_columns(name: str) -> tuple[str, str]:
    """Return the names of a column of the Cost and Usage Report in versions 1.0 and 2.0."""
    section, _, field = name.partition("/")
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", f"{section}_{field}").replace("__", "_").lower()
    return name.lower(), snake


def _of_bedrock(row: Line) -> bool:
    text = " ".join(_texts(row, "product", "service", "description", "usage")).lower()
    return "bedrock" in text


def _texts(row: Line, *words: str) -> Iterator[str]:
    return (value for name, value in row.items() if name and value and any(word in name for word in words))


def _focus_provider(row: Line) -> str | None:
    text = " ".join(_texts(row, "provider", "publisher", "service")).lower()
    names = {"openai": "openai", "anthropic": "anthropic", "aws": "aws", "amazon": "aws", "google": "google"}
    if "azure" in text or "microsoft" in text:
        return "azure"
    return next((provider for word, provider in names.items() if word in text), None)


def _of_models(row: Line) -> bool:
    """Return whether a line may be for language models: clouds sell much else on the same bill."""
    if _focus_provider(row) not in _CLOUDS:
        return True
    category = " ".join(_texts(row, "servicecategory")).lower()
    return (
        "machine learning" in category or _MODELS.search(" ".join(_texts(row, "service", "charge", "sku"))) is not None
    )


_CLOUDS = frozenset({"aws", "azure", "google"})
_MODELS = re.compile(r"bedrock|openai|cognitive|foundry|vertex|gemini|generative|claude|gpt-", re.IGNORECASE)

_EXPORTS = (
    _Export(
        kind="focus",
        required=(("chargeperiodstart",), ("billedcost", "effectivecost"), ("servicename", "chargedescription")),
        day=("chargeperiodstart",),
        amount=("effectivecost", "billedcost"),
        item=("chargedescription", "skuid", "skumeter", "resourcename", "resourceid", "servicename"),
        currency=("billingcurrency",),
        provider=_focus_provider,
        is_relevant=_of_models,
    ),
    _Export(
        kind="aws-cur",
        required=(_aws_columns("lineItem/UnblendedCost"), _aws_columns("lineItem/UsageStartDate")),
        day=_aws_columns("lineItem/UsageStartDate"),
        amount=_aws_columns("lineItem/UnblendedCost"),
        item=(*_aws_columns("lineItem/LineItemDescription"), *_aws_columns("lineItem/UsageType")),
        currency=_aws_columns("lineItem/CurrencyCode"),
        provider=lambda _: "aws",
        is_relevant=_of_bedrock,
    ),
    _Export(
        kind="anthropic",
        required=(("usage_date_utc", "usage_date"), ("cost_usd", "cost")),
        day=("usage_date_utc", "usage_date"),
        amount=("cost_usd", "cost"),
        item=("model", "model_version", "cost_type", "token_type"),
        provider=lambda _: "anthropic",
    ),
    _Export(
        kind="openai",
        required=(("amount_value", "amount"), ("line_item",), ("start_time_iso", "start_time", "date")),
        day=("start_time_iso", "start_time", "date"),
        amount=("amount_value", "amount"),
        item=("line_item",),
        currency=("amount_currency", "currency"),
        provider=lambda _: "openai",
    ),
)
