"""The prompt cache under other routes: how many of the tokens a request read from a cache it would still read.

A cache belongs to one model. A request that moves finds it warm only where an earlier request with the same prefix
went to the same route within the cache's lifetime; a request that stays loses what its moved predecessors would have
kept warm. The log's own reads are the upper limit: a route is never credited with a hit that the log does not show.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

import numpy as np
import polars as pl

from llm_audit.policy.models import Bools, Index, Ints, Models

LIFETIME = pl.duration(minutes=5)
LONG_LIFETIME = pl.duration(hours=1)


def warm_reads(frame: pl.DataFrame) -> pl.Series:
    """Cache-read tokens of each request that remain when every request goes to its route.

    For a request i, with its log's read r, the request before it in the conversation on the same model p, and the
    latest earlier request w of the conversation with the same route, sent at most a lifetime before:

    - p exists and has i's route: r, since nothing between the two has changed;
    - else w exists: min(r, prefix of w);
    - else the same for the latest earlier request of the template, up to the tokens that the conversation's first
      request read, which other conversations had left there;
    - no p, and i keeps its model: r; otherwise 0.

    Args:
        frame: ``conversation``, ``template_hash``, ``time``, ``turns``, ``used`` and ``route`` (model indexes),
            ``read`` (cache-read tokens), ``prefix`` (tokens in the cache once the request has run), ``hour`` (whether
            it wrote for an hour). Without times requests are taken in the order of their turns, and as within the
            lifetime.

    Returns:
        Tokens, in the frame's order, never more than ``read``.
    """
    moved = (frame["used"] != frame["route"]).any()
    if not moved or not (frame["read"] > 0).any():
        return frame["read"]
    rows = frame.with_row_index("row")
    reading = rows.filter(pl.col("read") > 0)
    touched = rows.filter(
        pl.col("conversation").is_in(reading["conversation"].unique().drop_nulls().implode())
        | pl.col("template_hash").is_in(reading["template_hash"].unique().drop_nulls().implode())
        | (pl.col("read") > 0)
    ).sort("conversation", "time", "turns", "row")
    lone = pl.col("conversation").is_null()
    known = ~lone
    conversation = ["conversation", "used"]
    on_route = ["conversation", "route"]
    touched = touched.with_columns(
        hour=pl.col("hour").cum_max().over("conversation") & known | pl.col("hour"),
        before=pl.when(known).then(pl.col("route").shift(1).over(conversation)),
        shared=pl.when(known).then(pl.col("read").first().over("conversation")).otherwise(pl.col("read")),
    ).with_columns(
        warm=pl.when(known).then(_still_warm(on_route)),
    )
    by_template = touched.sort("template_hash", "time", "turns", "row").with_columns(
        shared_warm=pl.when(pl.col("template_hash").is_not_null()).then(_still_warm(["template_hash", "route"]))
    )
    fallback = pl.min_horizontal("shared", pl.col("shared_warm").fill_null(0))
    kept = (
        pl.when(pl.col("before") == pl.col("route"))
        .then(pl.col("read"))
        .when(pl.col("before").is_null() & (pl.col("used") == pl.col("route")))
        .then(pl.col("read"))
        .when(pl.col("warm").is_not_null())
        .then(pl.min_horizontal("read", "warm"))
        .otherwise(pl.min_horizontal("read", fallback))
    )
    result = frame["read"].to_numpy().copy()
    changed = by_template.select("row", kept=kept)
    result[changed["row"].to_numpy()] = changed["kept"].to_numpy()
    return pl.Series("read", result)


def _still_warm(group: list[str]) -> pl.Expr:
    """The prefix that the group's previous request left, null where it is too old or there is none."""
    gap = pl.col("time") - pl.col("time").shift(1).over(group)
    lifetime = pl.when(pl.col("hour").shift(1).over(group)).then(LONG_LIFETIME).otherwise(LIFETIME)
    return pl.when(gap.is_null() | (gap <= lifetime)).then(pl.col("prefix").shift(1).over(group))


@cache
def _rules() -> list[tuple[str, int]]:
    text = (resources.files("llm_audit.policy") / "cache_rules.csv").read_text(encoding="utf-8")
    return [(row["model_prefix"], int(row["minimum_tokens"])) for row in csv.DictReader(text.splitlines())]


def minimum_tokens(models: Models) -> Ints:
    """The shortest prefix each model caches, in tokens; 0 where no provider's rule is known."""
    found = [next((least for prefix, least in _rules() if model.startswith(prefix)), 0) for model in models.ids]
    return np.array(found, dtype=np.int64)


def cached_prefix(*, read: Ints, write: Ints, fresh: Ints, explicit: Bools) -> Ints:
    """Tokens in the cache once a request has run: what it read and wrote, or all input where caching is automatic."""
    return np.where(explicit, read + write, read + write + fresh)


def too_short(prefix: Ints, route: Index, least: Ints) -> Bools:
    """Whether the prefix is below what the route's model caches at all."""
    return prefix < least[route]
