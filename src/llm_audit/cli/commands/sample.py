"""``llm-audit sample``: choose the most informative requests to try on a smaller model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_audit.cli import options
from llm_audit.cli.console import say
from llm_audit.cli.table import ListFormat, show
from llm_audit.errors import UsageError
from llm_audit.suggestions import did_you_mean

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.classify.model import Judgement


def sample(
    paths: options.Paths,
    *,
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="Number of requests.")] = 50,
    used: Annotated[
        str | None, typer.Option("--from", help="Model in use; by default that of the route that saves most.")
    ] = None,
    candidate: Annotated[
        str | None, typer.Option("--to", help="Model to try; by default the one that route goes to.")
    ] = None,
    app: Annotated[str | None, typer.Option(help="Choose among this app's requests.")] = None,
    template: Annotated[
        str | None, typer.Option(metavar="HEX", help="Choose among this template's requests, by its digits in reports.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a worksheet, a JSON line a request, to this file."),
    ] = None,
    policy: options.Policy = None,
    prices: options.Prices = None,
    calibration: options.Calibration = None,
    since: options.Since = None,
    until: options.Until = None,
    timezone: options.Timezone = None,
    pseudonymize: options.Pseudonymize = None,
    log_format: options.LogFormat = None,
    date_order: options.DateOrder = None,
    key_date: options.KeyDate = None,
    jobs: options.Jobs = None,
    cache: options.Cache = None,
    config_file: options.ConfigFile = None,
    progress: options.ShowProgress = None,
    output_format: ListFormat = "table",
) -> None:
    """Choose the requests whose trial would be most informative on whether a smaller model suffices.

    They are spread over categories of traffic. Run their prompts on the smaller model, have both answers judged, fill
    in the verdict (win, tie, loss) of each line of the worksheet, and give the file to `llm-audit calibrate`.
    """
    from llm_audit import api
    from llm_audit import config as configuration
    from llm_audit.classify.learning.sampling import sample as choose
    from llm_audit.cli.audit_run import run_audit
    from llm_audit.cli.labels import abilities_of
    from llm_audit.ledger import Workspace

    flags = {
        "policy": policy,
        "prices": prices,
        "calibration": calibration,
        "timezone": timezone,
        "pseudonymize": pseudonymize,
        "log_format": log_format,
        "date_order": date_order,
        "key_date": key_date,
        "jobs": jobs,
        "cache": cache,
    }
    config = configuration.load(flags, file=config_file).config
    audit = run_audit(paths, config, flags, since=since, until=until, progress=progress)
    catalog = api.catalog(config)
    used = catalog.resolve(None, used) or used if used else None
    candidate = catalog.resolve(None, candidate) or candidate if candidate else None
    holder = Workspace()
    parts = _selected(audit.request_parts(), app, template, holder.path)
    if used is None or candidate is None:
        used, candidate = _largest_route(parts, used, candidate)
    rows = _candidates(parts, used)
    picks = choose(
        _judgement(rows),
        number,
        small_ability=abilities_of(catalog, candidate, generic=0.0),
        used_ability=abilities_of(catalog, used, generic=0.0),
        weight=rows["weight"].to_numpy(),
    )
    names = [source.path for source in audit.document.inputs]
    found = [_row(rows.row(pick.row, named=True), pick.suffices, names, (used, candidate)) for pick in picks]
    if output is None:
        show(found, output_format, numeric=_NUMERIC)
    else:
        _write(found, output)
    say(f"{len(picks)} of {rows.height:,} distinct prompts of {used}, to try on {candidate}.")


_TEMPLATE = re.compile(r"[0-9a-f]{8}")
_PREFIX = 2**32
"""Divides a template's hash by the digits that reports leave out."""

_NUMBERS = (
    "input", "line", "entry", "request_key", "prompt_hash", "template_hash", "difficulty", "cost_pico", "expected_pico",
)  # fmt: skip
_TEXTS = ("app", "category", "model_id", "route_model_id", "outcome")
"""The columns of requests that a choice needs."""

_NUMERIC = ("line", "difficulty", "p_suffices", "requests", "cost")


def _selected(parts: Iterable[pl.DataFrame], app: str | None, template: str | None, folder: Path) -> list[pl.LazyFrame]:
    """Return the requests of an app and of a template, where they are named: what a choice needs of them.

    Args:
        parts: An audit's requests.
        app: The app's name.
        template: The template's first digits.
        folder: For a file a part, so that they are never in memory together.
    """
    import polars as pl

    if template is not None and not _TEMPLATE.fullmatch(template):
        raise UsageError(f"{template!r} is not a template; give the eight hexadecimal digits that reports show.")
    apps: set[str] = set()
    selected, found = 0, []
    for number, part in enumerate(parts):
        rows = part.select(*_NUMBERS, pl.col(_TEXTS).cast(pl.String))
        if app is not None:
            apps.update(rows["app"].drop_nulls().unique())
            rows = rows.filter(pl.col("app") == app)
        if template is not None:
            rows = rows.filter(pl.col("template_hash") // _PREFIX == int(template, 16))
        file = folder / f"{number}.parquet"
        rows.write_parquet(file)
        selected += rows.height
        found.append(pl.scan_parquet(file, glob=False))
    if app is not None and app not in apps:
        hint = did_you_mean(app, sorted(apps)) or " `llm-audit analyze` lists the apps."
        raise UsageError(f"No request is of the app {app!r}.{hint}")
    if template is not None and not selected:
        raise UsageError(f"No request selected is of the template {template}; `llm-audit analyze` lists templates.")
    return found


def _write(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write a worksheet whose verdicts are to be filled in."""
    from llm_audit.files import write_atomically

    lines = [json.dumps({**row, "verdict": None}, ensure_ascii=False) for row in rows]
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode())
    say(f"Wrote {path}")


def _largest_route(parts: Sequence[pl.LazyFrame], used: str | None, candidate: str | None) -> tuple[str, str]:
    """Return the models of the route that saves most, among routes of the models named."""
    import polars as pl

    moved = pl.concat(parts).filter(pl.col("outcome") == "moved")
    if used is not None:
        moved = moved.filter(pl.col("model_id") == used)
    if candidate is not None:
        moved = moved.filter(pl.col("route_model_id") == candidate)
    routes = (
        moved.group_by("model_id", "route_model_id")
        .agg((pl.col("cost_pico") - pl.col("expected_pico")).cast(pl.Int128).sum().alias("saved"))
        .sort("saved", "model_id", "route_model_id", descending=[True, False, False])
        .collect()
    )
    if not routes.height:
        raise UsageError("The policy moves no such request. Name both models with --from and --to.")
    return str(routes["model_id"][0]), str(routes["route_model_id"][0])


def _candidates(parts: Sequence[pl.LazyFrame], used: str) -> pl.DataFrame:
    """Return a model's judged requests, each distinct prompt once, with its total cost."""
    import polars as pl

    judged = (pl.col("model_id") == used) & pl.col("difficulty").is_not_null()
    prompt = pl.coalesce("prompt_hash", "request_key").alias("prompt")
    shown = pl.col("input", "line", "entry", "request_key", "category", "difficulty", "cost_pico")
    rows = [
        _distinct(part.filter(judged).select(prompt, shown, requests=pl.lit(1, pl.UInt32)).collect()) for part in parts
    ]
    found = _distinct(pl.concat(rows))
    if not found.height:
        raise UsageError(f"No judged request was served by {used!r}. Name another model with --from.")
    return found.with_columns(weight=pl.col("cost_pico").cast(pl.Float64).fill_null(0))


def _distinct(rows: pl.DataFrame) -> pl.DataFrame:
    """Return each prompt once: its first request, with the number and the cost of all."""
    import polars as pl

    order = ("input", "line", "entry")
    cost = pl.when(pl.col("cost_pico").is_not_null().any()).then(pl.col("cost_pico").sum()).alias("cost_pico")
    return (
        rows.sort(order)
        .group_by("prompt", maintain_order=True)
        .agg(pl.col(*order, "request_key", "category", "difficulty").first(), pl.col("requests").sum(), cost)
    )


def _judgement(rows: pl.DataFrame) -> Judgement:
    import numpy as np

    from llm_audit.classify.model import Judgement
    from llm_audit.vocabulary import Category

    order = list(Category)
    return Judgement(
        difficulty=rows["difficulty"].to_numpy().astype(np.float32),
        category=np.array([order.index(Category(name)) for name in rows["category"].to_list()], dtype=np.uint8),
        abstention=np.zeros(rows.height, dtype=np.uint8),
        stakes=np.zeros(rows.height, dtype=np.uint8),
        language=[None] * rows.height,
    )


def _row(row: dict[str, Any], suffices: float, names: list[str], models: tuple[str, str]) -> dict[str, Any]:
    from llm_audit.money import usd

    return {
        "file": names[row["input"]] if row["input"] < len(names) else None,
        "line": row["line"],
        "request": f"{row['request_key']:016x}",
        "used_model": models[0],
        "small_model": models[1],
        "category": row["category"],
        "difficulty": f"{row['difficulty']:+.2f}",
        "p_suffices": f"{suffices:.3f}",
        "requests": row["requests"],
        "cost": None if row["cost_pico"] is None else usd(row["cost_pico"]),
    }
