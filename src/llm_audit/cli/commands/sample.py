"""``llm-audit sample``: choose the most informative requests to try on a smaller model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_audit.cli import options
from llm_audit.cli.console import say
from llm_audit.cli.table import ListFormat, show
from llm_audit.errors import UsageError

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
    policy: options.Policy = None,
    prices: options.Prices = None,
    calibration: options.Calibration = None,
    since: options.Since = None,
    until: options.Until = None,
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

    They are spread over categories of traffic. Run their prompts on the smaller model, have both answers judged, add
    the verdict (win, tie, loss) to each row, and give the file to `llm-audit calibrate`.
    """
    from llm_audit import api
    from llm_audit import config as configuration
    from llm_audit.classify.learning.sampling import sample as choose
    from llm_audit.cli.labels import abilities_of
    from llm_audit.cli.run import run_audit

    flags = {
        "policy": policy,
        "prices": prices,
        "calibration": calibration,
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
    if used is None or candidate is None:
        used, candidate = _largest_route(audit.requests, used, candidate)
    rows = _candidates(audit.requests, used)
    picks = choose(
        _judgement(rows),
        number,
        small_ability=abilities_of(catalog, candidate, generic=0.0),
        used_ability=abilities_of(catalog, used, generic=0.0),
        weight=rows["weight"].to_numpy(),
    )
    names = [source.path for source in audit.document.inputs]
    show(
        [_row(rows.row(pick.row, named=True), pick.suffices, names, (used, candidate)) for pick in picks],
        output_format,
        numeric=_NUMERIC,
    )
    say(f"{len(picks)} of {rows.height:,} distinct prompts of {used}, to try on {candidate}.")


_NUMERIC = ("line", "difficulty", "p_suffices", "requests", "cost")


def _largest_route(requests: pl.DataFrame, used: str | None, candidate: str | None) -> tuple[str, str]:
    """Return the models of the route that saves most, among routes of the models named."""
    import polars as pl

    moved = requests.filter(pl.col("outcome").cast(pl.String) == "moved")
    if used is not None:
        moved = moved.filter(pl.col("model_id") == used)
    if candidate is not None:
        moved = moved.filter(pl.col("route_model_id") == candidate)
    routes = (
        moved.group_by("model_id", "route_model_id")
        .agg((pl.col("cost_pico") - pl.col("expected_pico")).cast(pl.Int128).sum().alias("saved"))
        .sort("saved", "model_id", "route_model_id", descending=[True, False, False])
    )
    if not routes.height:
        raise UsageError("The policy moves no such request. Name both models with --from and --to.")
    return str(routes["model_id"][0]), str(routes["route_model_id"][0])


def _candidates(requests: pl.DataFrame, used: str) -> pl.DataFrame:
    """Return a model's judged requests, each distinct prompt once, with its total cost."""
    import polars as pl

    judged = requests.filter((pl.col("model_id") == used) & pl.col("difficulty").is_not_null())
    if not judged.height:
        raise UsageError(f"No judged request was served by {used!r}. Name another model with --from.")
    return (
        judged.sort("input", "line")
        .group_by(pl.coalesce("prompt_hash", "request_key").alias("prompt"), maintain_order=True)
        .agg(
            pl.col("request_key", "input", "line", "category", "difficulty").first(),
            pl.len().alias("requests"),
            pl.col("cost_pico").sum(),
        )
        .with_columns(weight=pl.col("cost_pico").cast(pl.Float64).fill_null(0))
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
        "cost": usd(row["cost_pico"] or 0),
    }
