"""Caches that the requests of a template leave for other conversations, as spans of time.

A request leaves a prefix on its route for the cache's lifetime. Spans that touch are one, so what is kept grows with
the hours in which a template is used and not with its requests, and spans of parts of a log merge in any order.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.arrays import Index, Ints

Hashes = npt.NDArray[np.uint64]

_GROUP = ("template", "model")
SPANS = pl.Schema({"template": pl.UInt64, "model": pl.Int32, "start": pl.Int64, "end": pl.Int64, "prefix": pl.Int64})
"""Spans in which a template's cache was warm on a model: microseconds, and the longest prefix left in it."""

NOWHERE = -1
_ANY = 2**62


def join_spans(spans: pl.DataFrame) -> pl.DataFrame:
    """Join the spans that touch, sorted by template, model and time."""
    if not spans.height:
        return spans
    columns = [spans[name].to_numpy() for name in SPANS]
    order = np.lexsort((columns[2], columns[1], columns[0]))
    template, model, start, end, prefix = (column[order] for column in columns)
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (template[1:] != template[:-1]) | (model[1:] != model[:-1])
    group = np.cumsum(begins) - 1
    ends, rank = np.unique(end, return_inverse=True)
    latest = np.maximum.accumulate(group * len(ends) + rank) % len(ends)  # so far in each group
    begins[1:] |= start[1:] > ends[latest[:-1]]
    at = np.flatnonzero(begins)
    joined = (template[at], model[at], start[at], np.maximum.reduceat(end, at), np.maximum.reduceat(prefix, at))
    return pl.DataFrame(dict(zip(SPANS, joined, strict=True)), schema=SPANS)


class SharedCaches(msgspec.Struct, kw_only=True, frozen=True):
    """Spans in order of template, model and time, with keys to look them up; made by ``of``."""

    spans: pl.DataFrame
    _templates: Hashes
    _groups: Ints
    _starts: Ints
    _keys: Ints
    _models: int
    _always: bool

    @classmethod
    def of(cls, spans: pl.DataFrame, *, always: bool = False) -> SharedCaches:
        """Prepare spans in the order of ``join_spans``; where ``always`` is set, everything is warm at any time."""
        templates, template = np.unique(spans["template"].to_numpy(), return_inverse=True)
        model, start = spans["model"].to_numpy(), spans["start"].to_numpy()
        models = int(model.max(initial=0)) + 1
        groups, group = np.unique(template.astype(np.int64) * models + model, return_inverse=True)
        starts, rank = np.unique(start, return_inverse=True)
        return cls(
            spans=spans,
            _templates=templates,
            _groups=groups,
            _starts=starts,
            _keys=group.astype(np.int64) * (len(starts) + 1) + rank,
            _models=models,
            _always=always,
        )

    @classmethod
    def none(cls, *, always: bool = False) -> SharedCaches:
        """Return caches that nobody left, or that are always warm."""
        return cls.of(pl.DataFrame(schema=SPANS), always=always)

    def left(self, template: Hashes, model: Index, time: Ints) -> Ints:
        """Return the longest prefix that earlier requests of each template left on each model; -1 where none is warm.

        A request that begins a span finds nothing: what is sent at one time leaves nothing for each other.
        """
        if self._always:
            return np.full(len(time), _ANY, dtype=np.int64)
        if not len(self._keys) or not len(time):
            return np.full(len(time), NOWHERE, dtype=np.int64)
        at = np.minimum(np.searchsorted(self._templates, template), len(self._templates) - 1)
        wanted = at * self._models + model
        group = np.minimum(np.searchsorted(self._groups, wanted), len(self._groups) - 1)
        known = (
            (self._templates[at] == template) & (model >= 0) & (model < self._models) & (self._groups[group] == wanted)
        )
        width = len(self._starts) + 1
        place = np.searchsorted(self._keys, group * width + np.searchsorted(self._starts, time, side="left")) - 1
        before = np.maximum(place, 0)
        same = known & (place >= 0) & (self._keys[before] // width == group)
        warm = same & (time <= self.spans["end"].to_numpy()[before])
        return np.where(warm, self.spans["prefix"].to_numpy()[before], NOWHERE)
