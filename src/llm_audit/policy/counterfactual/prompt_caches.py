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

from llm_audit.arrays import Bools, Index, Ints
from llm_audit.policy.counterfactual.cache_log import NOWHERE, CacheLog, model_key, previous
from llm_audit.policy.counterfactual.shared_caches import SPANS, SharedCaches, join_spans
from llm_audit.policy.inputs.models import NONE, Models

try:
    from llm_audit.policy.inputs._arithmetic import caches as _caches_compiled
except ImportError:  # built where a C compiler is at hand; NumPy gives the same integers
    COMPILED = False
else:
    COMPILED = True

LIFETIME_US = 5 * 60 * 10**6
LONG_LIFETIME_US = 60 * 60 * 10**6

_UNCHANGED = -2


def left_shared(log: CacheLog, route: Index) -> pl.DataFrame:
    """Return the spans in which requests leave caches for others of their template, see ``shared_caches.SPANS``.

    Args:
        log: The log's caches.
        route: The model each of its requests goes to.
    """
    left = np.flatnonzero((log.template != NOWHERE) & (log.prefix > 0) & (route != NONE))
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
    cold = np.flatnonzero((found == NOWHERE) & (log.shared[changed] > 0) & (log.template[changed] != NOWHERE))
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
    changed = reading[np.where(before == NOWHERE, to[reading] != log.used[reading], to[before] != to[reading])]
    if not len(changed):
        return changed, changed
    near = np.flatnonzero(_shares(log.conversation, changed))
    return changed, _left_warm(log, changed, _before(near, changed, model_key(log.conversation[near], to[near])))


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
    cold = np.flatnonzero((warm == 0) & (log.shared[rows] > 0) & (log.template[rows] != NOWHERE))
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
    return np.where(same, before, NOWHERE)


def _shares(group: Ints, some: Ints) -> Bools:
    """Return whether a row is of the group of one of some rows."""
    wanted: Bools = np.zeros(int(group.max(initial=0)) + 2, dtype=np.bool_)
    wanted[group[some]] = True
    return np.take(wanted, group)


def _before(rows: Ints, wanted: Ints, key: Ints) -> Ints:
    """Return the row before each wanted one among ``rows``, of the same ``key``; ``-1`` for the first."""
    place = np.empty(int(rows.max()) + 1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    found = previous(key)[place[wanted]]
    return np.where(found == NOWHERE, NOWHERE, rows[found])


def _left_warm(log: CacheLog, rows: Ints, before: Ints) -> Ints:
    """Return the prefix that the row before each left, ``-1`` where it is too old or there is none."""
    lifetime = np.where(log.hour[before], LONG_LIFETIME_US, LIFETIME_US)
    warm = (before != NOWHERE) & (log.time[rows] - log.time[before] <= lifetime)
    return np.where(warm, log.prefix[before], NOWHERE)


@cache
def _rules() -> list[tuple[str, int]]:
    text = (resources.files("llm_audit.policy.counterfactual") / "cache_rules.csv").read_text(encoding="utf-8")
    return [(row["model_prefix"], int(row["minimum_tokens"])) for row in csv.DictReader(text.splitlines())]


def minimum_tokens(models: Models) -> Ints:
    """Return the shortest prefix each model caches, in tokens; 0 where no provider's rule is known."""
    found = [next((least for prefix, least in _rules() if model.startswith(prefix)), 0) for model in models.ids]
    return np.array(found, dtype=np.int64)


def too_short(prefix: Ints, route: Index, least: Ints) -> Bools:
    """Return whether the prefix is below what the route's model caches at all."""
    return np.asarray(prefix < least[route])
