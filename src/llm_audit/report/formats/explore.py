"""The HTML report for people who dig: the same page with one script that sorts, filters and drills down.

The script is inlined and allowed by its hash; it asks for nothing over the network. Without it the page is the report.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from llm_audit.document.audit import Document
from llm_audit.money import PICO_PER_USD
from llm_audit.report.formats import html
from llm_audit.report.interface import Frames, Options
from llm_audit.report.spreadsheet.charges import knows_tax
from llm_audit.report.text import NONE, UNKNOWN, money, plain

_ROWS = 6_000
"""Rows that the script gets; smaller ones are added up, so that the page stays under three megabytes."""
_LEVELS = ("team", "app", "model", "template")
_OTHER = "(others)"
_NAME = 48
_TEMPLATE_DIGITS = 8
_WORDS = {
    "levels": ["Team", "App", "Model", "Template"],
    "columns": {
        "requests": "Requests", "cost": "Cost", "share": "of cost", "policy": "Policy cost", "tax": "Flagship tax",
        "moved": "Moved",
    },
    "all": "all teams",
    "total": "total",
    "filter": "Filter names",
    "place": "Spend by team, app, model and template",
    "unknown": UNKNOWN,
}  # fmt: skip


def render(document: Document, *, frames: Frames | None = None, options: Options | None = None) -> bytes:
    """Render the report with the script, and the spend by team, app, model and template that it shows."""
    assert frames is not None, "the registry checks that there are requests"
    sums = _capped(_sums(frames.requests))
    symbol = money("1.00", currency=document.currency).removesuffix("1.00")
    data = {"cube": list(_rows(sums, _rate(document, sums))), "words": _WORDS | {"symbol": symbol}}
    return html.page(document, options, data={name: _as_json(value) for name, value in data.items()})


def _sums(requests: pl.DataFrame) -> pl.DataFrame:
    """Add up requests by team, app, model and template.

    Costs are null where none is known, and so is the tax.
    """
    template = pl.lit(None, pl.String)
    if "template_hash" in requests.columns:
        template = pl.col("template_hash").map_elements(_template, return_dtype=pl.String)
    names = [pl.col(name).cast(pl.String).fill_null(NONE) for name in _LEVELS[:-1]]
    known = pl.col("cost_pico").is_not_null()
    return (
        requests.with_columns(*names, template=template.fill_null(NONE))
        .group_by(_LEVELS)
        .agg(
            requests=pl.len(),
            moved=(pl.col("outcome").cast(pl.String) == "moved").sum(),
            cost=pl.when(known.any()).then(pl.col("cost_pico").cast(pl.Int128).sum()),
            tax=pl.when(knows_tax()).then((pl.col("cost_pico") - pl.col("expected_pico")).cast(pl.Int128).sum()),
        )
        .sort(pl.col("cost").fill_null(-1), *_LEVELS, descending=[True, False, False, False, False])
    )


def _template(value: int) -> str:
    return f"template {value:016x}"[: len("template ") + _TEMPLATE_DIGITS]


def _capped(sums: pl.DataFrame) -> pl.DataFrame:
    """Keep the largest rows, and add up the others: by team and app, and all in one where those are many."""
    for kept in (2, 0):
        if sums.height <= _ROWS:
            break
        rest = sums[_ROWS // 2 :].with_columns(pl.lit(_OTHER).alias(name) for name in _LEVELS[kept:])
        amounts = [pl.when(pl.col(n).is_not_null().any()).then(pl.col(n).sum()).alias(n) for n in ("cost", "tax")]
        merged = rest.group_by(_LEVELS, maintain_order=True).agg(pl.col("requests", "moved").sum(), *amounts)
        sums = pl.concat([sums[: _ROWS // 2], merged])
    return sums


def _rate(document: Document, sums: pl.DataFrame) -> Decimal:
    """Return the document's currency per pico-dollar."""
    if document.currency == "USD":
        return Decimal(1) / PICO_PER_USD
    total = Decimal(sums["cost"].sum() or 0)
    return Decimal(document.cost.actual or 0) / total if total else Decimal(1) / PICO_PER_USD


def _rows(sums: pl.DataFrame, rate: Decimal) -> Iterator[dict[str, Any]]:
    for row in sums.iter_rows(named=True):
        cost, tax = (None if row[name] is None else float(row[name] * rate) for name in ("cost", "tax"))
        yield {
            "path": [plain(row[name], limit=_NAME) for name in _LEVELS],
            "requests": row["requests"],
            "moved": row["moved"],
            "cost": cost,
            "tax": tax,
        }


def _as_json(value: object) -> str:
    """Write JSON that can stand in a page: no text in it ends the element that holds it."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
