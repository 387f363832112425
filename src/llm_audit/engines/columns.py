"""Rows of a batch as Arrow columns of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import pyarrow as pa

from llm_audit.classify.model import Judgement
from llm_audit.engines.digest import Digest
from llm_audit.engines.hashing import hash64
from llm_audit.ledger.arrow import ARROW_SCHEMA, TYPES
from llm_audit.ledger.columns import COLUMNS, Kind
from llm_audit.sources.entry import Request
from llm_audit.vocabulary import Abstention, Category, Judged

MAX_NAME_CHARS = 256
"""Names are cut here: something longer is content and not a name."""

_OF_DIGEST = Digest._fields
_OF_REQUEST = tuple(name for name in Request.__struct_fields__ if name in COLUMNS and name not in _OF_DIGEST)
_read = attrgetter(*_OF_REQUEST)


Judge = Callable[[Sequence[str]], Judgement]


class Row(NamedTuple):
    """A request without its text, where it stands, and what became of its text."""

    ordinal: int  # the entry's place in its shard
    shard: int
    line: int
    format: str
    request: Request
    digest: Digest


def table(rows: Sequence[Row], judge: Judge) -> pa.Table:
    """Judge the rows' asks, each distinct one once, and lay the rows out as columns."""
    ordinals, shards, lines, formats, requests, digests = zip(*rows, strict=True)
    values: dict[str, Sequence[Any]] = dict(zip(_OF_REQUEST, zip(*map(_read, requests), strict=True), strict=True))
    values |= dict(zip(_OF_DIGEST, zip(*digests, strict=True), strict=True))
    values |= {"input": shards, "line": lines, "format": formats, "time": [request.time_us for request in requests]}
    values["tags"] = [",".join(sorted(tags)) or None for tags in values["tags"]]
    values |= judged_columns(values["ask"], values["judged"], values["abstention"], judge)
    columns = [_column(name, values) for name in COLUMNS if name != "request_key"]
    columns.insert(list(COLUMNS).index("request_key"), pa.array(ordinals, pa.uint64()))
    return pa.Table.from_arrays(columns, schema=ARROW_SCHEMA)


def judged_columns(
    asks: Sequence[str], judged: Sequence[str], abstention: Sequence[str | None], judge: Judge
) -> dict[str, Sequence[Any]]:
    """The columns that judging fills: the classifier may abstain where the choice of text did not."""
    place: dict[str, int] = {}
    chosen = [place.setdefault(ask, len(place)) if ask else -1 for ask in asks]
    verdict = judge(list(place))
    reasons = list(Abstention)
    names = [category.value for category in Category]
    # An abstained text has no difficulty, which the classifier marks by NaN.
    difficulty = [None if value != value else value for value in verdict.difficulty.tolist()]  # noqa: PLR0124
    category = [names[code] for code in verdict.category.tolist()]
    why = [reasons[code - 1].value if code else None for code in verdict.abstention.tolist()]
    for column in (difficulty, category, why):
        column.append(None)  # what index -1 finds: not judged
    reason = [own or why[index] for own, index in zip(abstention, chosen, strict=True)]
    return {
        "difficulty": [difficulty[index] for index in chosen],
        "category": [None if no else category[index] for index, no in zip(chosen, reason, strict=True)],
        "language": [(verdict.language[index] if index >= 0 else None) for index in chosen],
        "abstention": reason,
        "judged": [Judged.ABSTAINED.value if no else own for own, no in zip(judged, reason, strict=True)],
    }


def _column(name: str, values: dict[str, Sequence[Any]]) -> pa.Array:
    kind, found = COLUMNS[name], values[name]
    if found.count(None) == len(found):
        return pa.nulls(len(found), ARROW_SCHEMA.field(name).type)
    if kind is Kind.ID and name not in _OF_DIGEST:
        found = [None if value is None else hash64(value) for value in found]
    if kind is Kind.NAME or not isinstance(kind, Kind):
        if kind is Kind.NAME:
            found = [value if value is None else value[:MAX_NAME_CHARS] for value in found]
        return pa.array(found, pa.string()).dictionary_encode()
    return pa.array(found, TYPES[kind])
