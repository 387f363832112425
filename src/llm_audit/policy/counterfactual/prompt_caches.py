"""The prompt cache under other routes: how many of the tokens a request read from a cache it would still read.

A cache belongs to one model. A request that moves finds it warm only where an earlier request with the same prefix
went to the same route within the cache's lifetime; a request that stays loses what its moved predecessors would have
kept warm. The log's own reads are the upper limit: a route is never credited with a hit that the log does not show.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import polars as pl

from llm_audit.arrays import Bools, Index, Ints
from llm_audit.policy.counterfactual.shared_caches import SPANS, Hashes, SharedCaches, join_spans
from llm_audit.policy.inputs.models import NONE, Models

try:
    from llm_audit.policy.inputs._arithmetic import caches as _caches_compiled
except ImportError:  # built where a C compiler is at hand; NumPy gives the same integers
    COMPILED = False
else:
    COMPILED = True

LIFETIME_US = 5 * 60 * 10**6
LONG_LIFETIME_US = 60 * 60 * 10**6

_NOWHERE = -1
_UNCHANGED = -2
_UNDATED_BITS = 36  # what is left of a hash is less than LIFETIME_US


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheLog:
    """Prompt caches as the log shows them, for the requests whose reads other routes could change.

    Rows are sorted by conversation, then time; a request without a conversation is one of its own.

    Attributes:
        row: Each request's place in the ledger.
        conversation: A number for its conversation.
        template: Its template as an index into ``templates``, ``-1`` where the log has none.
        templates: Hashes of the templates.
        time: Microseconds; undated ones follow the order of turns, at one time.
        shared_time: The same among the requests of a template; undated conversations follow each other by their hashes.
        used: The model used.
        read: Cache-read tokens.
        prefix: Tokens in the cache once the request has run.
        hour: Whether the cache lives an hour: the conversation has written for an hour so far.
        shared: Tokens that the conversation's first request read, which other conversations had left.
        before: The previous row of the conversation on the same model, ``-1`` for none.
        unit: A number for its conversation and model.
        units: How many of those there are.
    """

    row: Ints
    conversation: Ints
    template: Index
    templates: Hashes
    time: Ints
    shared_time: Ints
    used: Index
    read: Ints
    prefix: Ints
    hour: Bools
    shared: Ints
    before: Ints
    unit: Ints
    units: int


def read_cache_log(frame: pl.LazyFrame, read_templates: pl.Series | None = None) -> CacheLog:
    """Prepare the requests that share a conversation or template with a cache read.

    Args:
        frame: ``request_key``, ``conversation``, ``template_hash``, ``time``, ``turns``, ``used`` (model index),
            ``read``, ``prefix``, ``hour`` (whether the request wrote for an hour).
        read_templates: The templates of which a request read from a cache; by default those that ``frame`` shows.
    """
    rows = frame.with_row_index("row").with_columns(
        pl.col("time").dt.epoch("us").fill_null(0), undated=pl.col("time").is_null()
    )
    reading = rows.filter(pl.col("read") > 0)
    by_conversation = reading.select("conversation").unique().with_columns(by_conversation=True)
    templates = reading.select("template_hash").unique() if read_templates is None else _column(read_templates)
    by_template = templates.with_columns(by_template=True)
    touched = (
        rows.join(by_conversation, on="conversation", how="left")
        .join(by_template, on="template_hash", how="left")
        .filter(pl.col("by_conversation").is_not_null() | pl.col("by_template").is_not_null() | (pl.col("read") > 0))
        .drop("by_conversation", "by_template")
        .join(_for_an_hour(rows), on="conversation", how="left")
        .with_columns(hour=pl.col("hour") | _is_since().fill_null(value=False))
        .sort("conversation", "time", "turns", "request_key", nulls_last=True)
        .collect()
    )
    lone = touched["conversation"].is_null()
    known = touched["conversation"].rle_id().cast(pl.Int64)
    conversation = pl.select(
        pl.when(lone).then(pl.int_range(touched.height) + touched.height).otherwise(known)
    ).to_series()
    touched = touched.with_columns(_conversation=conversation).with_columns(
        shared=pl.col("read").first().over("_conversation")
    )
    template = (touched["template_hash"].rank("dense").cast(pl.Int32) - 1).fill_null(_NOWHERE).to_numpy()
    time = touched["time"].to_numpy()
    used = touched["used"].to_numpy()
    groups = touched["_conversation"].cast(pl.Int32).to_numpy()
    unit = _numbered(_key(groups, used)).astype(np.int32)
    return CacheLog(
        row=touched["row"].cast(pl.Int32).to_numpy(),
        conversation=groups,
        template=template,
        templates=touched["template_hash"].drop_nulls().unique().sort().to_numpy(),
        time=time,
        shared_time=_shared_time(touched) if touched["undated"].any() else time,
        used=used,
        read=touched["read"].to_numpy(),
        prefix=touched["prefix"].to_numpy(),
        hour=touched["hour"].to_numpy(),
        shared=touched["shared"].to_numpy(),
        before=_previous(unit).astype(np.int32),
        unit=unit,
        units=int(unit.max(initial=-1)) + 1,
    )


def _column(templates: pl.Series) -> pl.LazyFrame:
    return templates.alias("template_hash").to_frame().lazy()


def _shared_time(touched: pl.DataFrame) -> Ints:
    """Return times in which undated conversations follow each other by their hashes, all within a cache's lifetime."""
    follows = pl.coalesce("conversation", "request_key") // 2**_UNDATED_BITS
    times = touched.select(pl.when("undated").then(follows.cast(pl.Int64)).otherwise("time"))
    return times.to_series().to_numpy()


def _for_an_hour(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return the first request of each conversation that wrote for an hour, in the order of time, turns and keys."""
    return (
        rows.filter(pl.col("hour") & pl.col("conversation").is_not_null())
        .sort("time", "turns", "request_key")
        .unique("conversation", keep="first", maintain_order=True)
        .select("conversation", *(pl.col(name).alias(f"first_{name}") for name in ("time", "turns", "request_key")))
    )


def _is_since() -> pl.Expr:
    """Return whether a request is not before the first of its conversation that wrote for an hour."""
    turns, first_turns = (pl.col(name).fill_null(-1) for name in ("turns", "first_turns"))
    later_turn = (turns > first_turns) | (
        (turns == first_turns) & (pl.col("request_key") >= pl.col("first_request_key"))
    )
    return (pl.col("time") > pl.col("first_time")) | ((pl.col("time") == pl.col("first_time")) & later_turn)


def left_shared(log: CacheLog, route: Index) -> pl.DataFrame:
    """Return the spans in which requests leave caches for others of their template, see ``shared_caches.SPANS``.

    Args:
        log: The log's caches.
        route: The model each of its requests goes to.
    """
    left = np.flatnonzero((log.template != _NOWHERE) & (log.prefix > 0) & (route != NONE))
    start = log.shared_time[left]
    columns = {
        "template": log.templates[log.template[left]],
        "model": route[left],
        "start": start,
        "end": start + np.where(log.hour[left], LONG_LIFETIME_US, LIFETIME_US),
        "prefix": log.prefix[left],
    }
    return join_spans(pl.DataFrame(columns, schema=SPANS))


def warm_reads(log: CacheLog, *, read: Ints, route: Index, shared: SharedCaches) -> Ints:
    """Cache-read tokens of each request that remain when every request goes to its route.

    For a request i, with its log's read r, the request before it in the conversation on the same model p, and the
    latest earlier request w of the conversation with the same route, sent at most a lifetime before:

    - p exists and has i's route: r, since nothing between the two has changed;
    - no p, and i keeps its model: r, left by what the log does not show;
    - else w exists: min(r, prefix of w);
    - else what earlier requests of the template left there that is still warm, up to the tokens that the
      conversation's first request read, which other conversations had left; 0 where there is none.

    Args:
        log: The log's caches.
        read: Cache-read tokens of every request.
        route: The model each goes to.
        shared: What the requests of a template leave for each other.

    Returns:
        Tokens, one a request, never more than ``read``.
    """
    if not len(log.row):
        return read
    changed, found = _remaining(log, route[log.row])
    if not len(changed):
        return read
    cold = np.flatnonzero((found == _NOWHERE) & (log.shared[changed] > 0) & (log.template[changed] != _NOWHERE))
    if len(cold):
        some = changed[cold]
        found[cold] = np.minimum(log.shared[some], _left_by_others(log, some, route[log.row[some]], shared))
    remaining = read.copy()
    remaining[log.row[changed]] = np.minimum(log.read[changed], np.maximum(found, 0))
    return remaining


def _remaining(log: CacheLog, to: Index) -> tuple[Ints, Ints]:
    """Return the rows with reads whose cache is another on their routes, and the prefix that is warm there.

    It is what the conversation left, ``-1`` where that is nothing.
    """
    if COMPILED:
        found = _by_row(log, to, repeats=False)
        changed = np.flatnonzero(found != _UNCHANGED)
        return changed, found[changed]
    reading = np.flatnonzero(log.read > 0)
    before = log.before[reading]
    changed = reading[np.where(before == _NOWHERE, to[reading] != log.used[reading], to[before] != to[reading])]
    if not len(changed):
        return changed, changed
    near = np.flatnonzero(_shares(log.conversation, changed))
    return changed, _left_warm(log, changed, _before(near, changed, _key(log.conversation[near], to[near])))


def _by_row(log: CacheLog, to: Index, *, repeats: bool) -> Ints:
    """Return the prefix that each row finds in its conversation on its route, or on the model used where it repeats."""
    found = np.empty(len(log.row), dtype=np.int64)
    models = int(max(to.max(initial=NONE), log.used.max(initial=NONE))) + 1
    options = np.array([models, repeats], dtype=np.int64)
    columns = log.conversation, log.before, log.used, to, log.read, log.prefix, log.hour, log.time
    _caches_compiled(*columns, options, found)
    return found


def _left_by_others(log: CacheLog, rows: Ints, model: Index, shared: SharedCaches) -> Ints:
    """Return the prefix that is warm on a model for each of some rows with a template; -1 where none is."""
    return shared.left(log.templates[log.template[rows]], model, log.shared_time[rows])


def repeat_reads(log: CacheLog, *, read: Ints, route: Index, moved: Bools, shared: SharedCaches) -> Ints:
    """Return the cache-read tokens that moved requests would find if they were sent to the model used after all.

    The move has left that model's cache to what other requests put there: the latest earlier request of the
    conversation that still goes to the model, sent at most a lifetime before, else those of the template, up to the
    tokens that the conversation's first request read. What repeats would leave there for each other is not counted.

    Args:
        log: The log's caches.
        read: Cache-read tokens of every request.
        route: The model each goes to.
        moved: Whether that is another than the one used.
        shared: What the requests of a template leave for each other.

    Returns:
        Tokens, one a request, never more than ``read``; 0 where nothing is warm, and for requests that are kept.
    """
    found = np.zeros(len(read), dtype=np.int64)
    rows = np.flatnonzero(moved[log.row] & (log.read > 0))
    if not len(rows):
        return found
    to = route[log.row]
    if COMPILED:
        left = _by_row(log, to, repeats=True)[rows]
    else:
        left = _left_warm(log, rows, _last_on(log.conversation, rows, to, log.used))
    warm = np.maximum(left, 0)
    cold = np.flatnonzero((warm == 0) & (log.shared[rows] > 0) & (log.template[rows] != _NOWHERE))
    if len(cold):
        some = rows[cold]
        warm[cold] = np.minimum(log.shared[some], np.maximum(_left_by_others(log, some, log.used[some], shared), 0))
    found[log.row[rows]] = np.minimum(log.read[rows], warm)
    return found


def _last_on(group: Ints, wanted: Ints, route: Index, used: Index) -> Ints:
    """Return the last row before each wanted one of its group that goes to the model it used; or -1."""
    count = len(group)
    span = int(max(route.max(initial=0), used.max(initial=0))) + 2
    rows = np.flatnonzero(_shares(group, wanted))
    held = (group[rows].astype(np.int64) * span + route[rows] + 1) * count + rows
    order = np.argsort(held, kind="stable")
    asked = (group[wanted].astype(np.int64) * span + used[wanted] + 1) * count + wanted
    at = np.searchsorted(held[order], asked) - 1
    before = rows[order[np.maximum(at, 0)]]
    same = (at >= 0) & (held[order[np.maximum(at, 0)]] // count == asked // count)
    return np.where(same, before, _NOWHERE)


def _shares(group: Ints, some: Ints) -> Bools:
    """Return whether a row is of the group of one of some rows."""
    wanted: Bools = np.zeros(int(group.max(initial=0)) + 2, dtype=np.bool_)
    wanted[group[some]] = True
    return np.take(wanted, group)


def _key(group: Ints, model: Index) -> Ints:
    """Return a small number for each group and model, ascending with the groups."""
    if not len(group):
        return group
    present = np.bincount(model + 1) > 0
    key: Ints = (group.astype(np.int64) - group.min()) * int(present.sum()) + (np.cumsum(present) - 1)[model + 1]
    return key


def _sorted(key: Ints) -> tuple[Ints, Bools]:
    """Return the rows in order of their keys, equal ones in the order they had, and which begin another key."""
    order = np.argsort(key.astype(np.uint16) if key.max(initial=0) < 1 << 16 else key, kind="stable")
    return order, np.diff(key[order], prepend=-1) != 0


def _previous(key: Ints) -> Ints:
    """Return the row before each row of the same key; ``-1`` for the first."""
    order, begins = _sorted(key)
    previous = np.full(len(key), _NOWHERE, dtype=np.int64)
    previous[order[1:]] = np.where(begins[1:], _NOWHERE, order[:-1])
    return previous


def _numbered(key: Ints) -> Ints:
    """Keys without the gaps between them."""
    order, begins = _sorted(key)
    number = np.empty_like(key)
    number[order] = np.cumsum(begins) - 1
    return number


def _before(rows: Ints, wanted: Ints, key: Ints) -> Ints:
    """Return the row before each wanted one among ``rows``, of the same ``key``; ``-1`` for the first."""
    place = np.empty(int(rows.max()) + 1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    previous = _previous(key)[place[wanted]]
    return np.where(previous == _NOWHERE, _NOWHERE, rows[previous])


def _left_warm(log: CacheLog, rows: Ints, before: Ints) -> Ints:
    """Return the prefix that the row before each left, ``-1`` where it is too old or there is none."""
    lifetime = np.where(log.hour[before], LONG_LIFETIME_US, LIFETIME_US)
    warm = (before != _NOWHERE) & (log.time[rows] - log.time[before] <= lifetime)
    return np.where(warm, log.prefix[before], _NOWHERE)


@cache
def _rules() -> list[tuple[str, int]]:
    text = (resources.files("llm_audit.policy.counterfactual") / "cache_rules.csv").read_text(encoding="utf-8")
    return [(row["model_prefix"], int(row["minimum_tokens"])) for row in csv.DictReader(text.splitlines())]


def minimum_tokens(models: Models) -> Ints:
    """Return the shortest prefix each model caches, in tokens; 0 where no provider's rule is known."""
    found = [next((least for prefix, least in _rules() if model.startswith(prefix)), 0) for model in models.ids]
    return np.array(found, dtype=np.int64)


def cached_prefix(*, read: Ints, write: Ints, fresh: Ints, explicit: Bools) -> Ints:
    """Return tokens cached once a request has run: what it read and wrote, or all input where caching is automatic."""
    return np.where(explicit, read + write, read + write + fresh)


def too_short(prefix: Ints, route: Index, least: Ints) -> Bools:
    """Return whether the prefix is below what the route's model caches at all."""
    return np.asarray(prefix < least[route])
