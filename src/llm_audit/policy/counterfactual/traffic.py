"""A priced ledger as policies see it, read once for any number of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Index
from llm_audit.catalog import Catalog
from llm_audit.policy.counterfactual.cache_log import CacheLog, read_cache_log
from llm_audit.policy.counterfactual.steps import AgentSteps, read_steps
from llm_audit.policy.inputs.models import Models, models_of
from llm_audit.policy.inputs.requests import TRACE_COLUMNS, Requests, joined, read_requests
from llm_audit.policy.inputs.trace_graph import Graph, build_graph
from llm_audit.pricing import distinct_keys

NAMES: tuple[str, ...] = ("provider", "model", "service_tier", "region", "model_id", "tier")
"""Columns that identify a model at a provider; provider and model decide the last two."""

Columns = Callable[[Sequence[str]], pl.LazyFrame]
"""Some columns of all the ledger's rows, in their order."""


class Traffic(msgspec.Struct, kw_only=True, frozen=True):
    """Requests, and what ties them to each other.

    Attributes:
        requests: The requests.
        models: The catalog.
        names: The distinct combinations of ``NAMES`` as text.
        name: The row of ``names`` of each request.
        time: When each was sent.
        graph: The dependencies within traces.
        caches: What the log shows of caches; the prefixes depend on prices, and are left at nothing.
        steps: The tool loops.
    """

    requests: Requests
    models: Models
    names: pl.DataFrame
    name: Index
    time: pl.Series
    graph: Graph
    caches: CacheLog
    steps: AgentSteps


def traffic_of(named: pl.DataFrame, catalog: Catalog) -> Traffic:
    """Return the traffic of a priced ledger in memory that has ``model_id`` and ``tier`` (see ``with_models``)."""
    return read_traffic([named], named.lazy().select, catalog)


def read_traffic(
    blocks: Iterable[pl.DataFrame],
    columns: Columns,
    catalog: Catalog,
    *,
    read_templates: pl.Series | None = None,
) -> Traffic:
    """Read a ledger that need not be in memory.

    Args:
        blocks: Its priced rows, with ``model_id`` and ``tier``, piece by piece.
        columns: Reads columns of the same rows.
        catalog: Models.
        read_templates: The templates of which a request read from a cache, where the rows are a part of a log.
    """
    models = models_of(catalog)
    index = models.index()
    numbers: dict[tuple[str | None, ...], int] = {}
    parts, names, times = [], [], []
    for block in blocks:
        parts.append(read_requests(block, index, models.by_language.languages))
        names.append(_numbered(block, numbers))
        times.append(block["time"])
    requests = joined(parts)
    del parts
    groups = columns(["trace", "conversation"]).select(pl.coalesce("trace", "conversation")).collect().to_series()
    return Traffic(
        requests=requests,
        models=models,
        names=pl.DataFrame(list(numbers), schema=dict.fromkeys(NAMES, pl.String), orient="row"),
        name=np.concatenate(names),
        time=pl.concat(times),
        graph=build_graph(columns(TRACE_COLUMNS)),
        caches=_cache_log(requests, columns, read_templates),
        steps=read_steps(groups, requests.agent_step),
    )


def _numbered(block: pl.DataFrame, numbers: dict[tuple[str | None, ...], int]) -> Index:
    """Return the number of each row's names; new ones are added."""
    coded = distinct_keys([block[name] for name in NAMES[:-2]])  # which decide the others
    rows = block.select(NAMES)[coded.first_rows()].select(pl.all().cast(pl.String)).iter_rows()
    return np.array([numbers.setdefault(row, len(numbers)) for row in rows], dtype=np.int32)[coded.codes]


def _cache_log(requests: Requests, columns: Columns, read_templates: pl.Series | None) -> CacheLog:
    places = columns(["request_key", "conversation", "template_hash", "time", "turns"])
    return read_cache_log(
        places.with_columns(
            used=pl.lit(pl.Series(requests.used)),
            read=pl.lit(pl.Series(requests.tokens["cache_read"])),
            prefix=pl.lit(0, pl.Int64),
            hour=pl.lit(pl.Series(requests.tokens["cache_write_1h"] > 0)),
        ),
        read_templates,
    )
