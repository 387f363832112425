"""Convert a batch of requests to Arrow columns of the ledger, and judge them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import astuple

from llm_audit.classify.model import Judgement
from llm_audit.engines.features.hashing import hash64
from llm_audit.engines.features.text import TextFeatures
from llm_audit.ledger.arrow import ARROW_SCHEMA, TYPES, array_of, words_of
from llm_audit.ledger.columns import COLUMNS, ColumnType
from llm_audit.sources.entry import Request, Usage
from llm_audit.vocabulary import Abstention, Category, Judged, Stakes

MAX_NAME_CHARS = 256
"""Names are cut to this length: anything longer is content and not a name."""

FIELDS = (
    "entry",
    "input",
    "line",
    "format",
    *TextFeatures.__struct_fields__,
    *Request.__struct_fields__,
    *Usage.__struct_fields__,
)
"""The values of a row, in order."""

_HASHED = ("request_key", *TextFeatures.__struct_fields__)  # identifiers that are numbers already
_CATEGORIES = [category.value for category in Category]
_STAKES = [stakes.value for stakes in Stakes]
_REASONS = [reason.value for reason in Abstention]
_JUDGED = [judged.value for judged in Judged]
_ABSTAINED = _JUDGED.index(Judged.ABSTAINED)

Judge = Callable[[Sequence[bytes]], Judgement]
"""Judges a batch of texts in UTF-8."""

Harder = Callable[[Sequence[str | None], Sequence[int | None]], Sequence[float]]
"""What is added to difficulties, by category and template."""

Places = npt.NDArray[np.int64]

Row = tuple[Any, ...]
"""The values of ``FIELDS`` for one request; its ids are texts, or their hashes."""


def ledger_row(position: tuple[int, int, int], name: str, request: Request, features: TextFeatures) -> Row:
    """Return a request without its text as a row for ``judged_table``.

    Args:
        position: The entry's position in its shard, the shard's position in its bundle, and the line.
        name: The format's name.
        request: The request without its messages and completion.
        features: The features of its text.
    """
    return (*position, name, *astuple(features), *astuple(request), *astuple(request.usage))


def judged_table(rows: Sequence[Row], judge: Judge, harder: Harder | None = None) -> pa.Table:
    """Judge the asks of the rows, each distinct one once, and return the rows as columns."""
    values, distinct = values_of(rows), list[bytes]()
    places = places_of(values["ask"], distinct)
    judged = judged_columns(judge(distinct), places, own_codes(values), values["template_hash"], harder)
    columns = [judged[name] if name in judged else column_of(name, values[name]) for name in COLUMNS]
    return pa.Table.from_arrays(columns, schema=ARROW_SCHEMA)


def values_of(rows: Sequence[Row]) -> dict[str, Sequence[Any]]:
    """Return the values of rows by column, but for what judging fills, and their asks."""
    values: dict[str, Sequence[Any]] = dict(zip(FIELDS, zip(*rows, strict=True), strict=True))
    values["request_key"] = [None] * len(rows)  # which depends on the complete file
    values["time"] = values["time_us"]
    values["tags"] = joined_tags(values["tags"])
    return values


def in_order(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of several tables in the order of their inputs and entries."""
    if len(tables) == 1:
        return tables[0]
    whole = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    order = np.lexsort((whole["entry"].to_numpy(), whole["input"].to_numpy()))
    columns = [_encoded(column.chunk(0)) for column in whole.take(order).combine_chunks().columns]
    return pa.Table.from_arrays(columns, schema=ARROW_SCHEMA)


def _encoded(column: pa.Array) -> pa.Array:
    """Return a column with the words of its dictionary in the order in which rows have them."""
    if not pa.types.is_dictionary(column.type):
        return column
    if column.null_count == len(column):
        return pa.nulls(len(column), column.type)
    return column.dictionary_decode().dictionary_encode()


def places_of(asks: Sequence[str], distinct: list[bytes]) -> Places:
    """Return the places of asks among distinct ones, to which new ones are added; -1 for none."""
    index_of = {ask: place for place, ask in enumerate(distinct)}
    encoded = [ask.encode("utf-8", "replace") for ask in asks]  # lone surrogates are judged as question marks
    places = [index_of.setdefault(ask, len(index_of)) if ask else -1 for ask in encoded]
    distinct += [*index_of][len(distinct) :]
    return np.array(places, np.int64)


def own_codes(values: Mapping[str, Sequence[Any]]) -> tuple[Places, Places]:
    """Return how rows are judged and why they are not, as places in ``Judged`` and ``Abstention``; -1 for no reason."""
    judged = [_JUDGED.index(word) for word in values["judged"]]
    reasons = [-1 if reason is None else _REASONS.index(reason) for reason in values["abstention"]]
    return np.array(judged, np.int64), np.array(reasons, np.int64)


def judged_columns(
    judgement: Judgement,
    places: Places,
    own: tuple[Places, Places],
    templates: Sequence[int | None],
    harder: Harder | None,
) -> dict[str, pa.Array]:
    """Return the columns that judging fills; the classifier may abstain where the selection of text did not.

    Args:
        judgement: That of distinct asks.
        places: The place of each row's ask among them; -1 for none.
        own: What ``own_codes`` says of the rows.
        templates: The hashes of their templates.
        harder: What a calibration adds to difficulties.
    """
    judged, reason = own
    reason = np.where(reason < 0, np.append(judgement.abstention.astype(np.int64), 0)[places] - 1, reason)
    category = np.where(reason < 0, np.append(judgement.category.astype(np.int64), -1)[places], -1)
    difficulty = np.append(judgement.difficulty, np.float32(np.nan))[places]
    if harder is not None:
        categories = [None if code < 0 else _CATEGORIES[code] for code in category.tolist()]
        difficulty = (difficulty + np.array(harder(categories, templates), np.float64)).astype(np.float32)
    known = ~np.isnan(difficulty)  # an abstained text has no difficulty
    languages = [*dict.fromkeys(judgement.language)]
    code_of = {language: code for code, language in enumerate(languages)}
    language = np.array([*map(code_of.__getitem__, judgement.language), -1], np.int64)[places]
    return {
        "difficulty": array_of(difficulty, pa.float32(), known) if known.any() else pa.nulls(len(known), pa.float32()),
        "category": words_of(category, _CATEGORIES),
        "language": words_of(language, languages),
        "stakes": words_of(np.append(judgement.stakes.astype(np.int64), 0)[places] - 1, _STAKES),
        "abstention": words_of(reason, _REASONS),
        "judged": words_of(np.where(reason < 0, judged, _ABSTAINED), _JUDGED),
    }


def joined_tags(tags: Sequence[tuple[str, ...]]) -> list[str | None]:
    """Return the tags of each row as one text."""
    return [",".join(sorted(some)) or None if some else None for some in tags]


def column_of(name: str, values: Sequence[Any]) -> pa.Array:
    """Return values of a column; ids that are texts are hashed."""
    kind = COLUMNS[name]
    if values[0] is None and values.count(None) == len(values):
        return pa.nulls(len(values), ARROW_SCHEMA.field(name).type)
    if kind in (ColumnType.NAME, ColumnType.NAMES) or not isinstance(kind, ColumnType):
        return words_of(np.arange(len(values)), cut(name, values))
    if kind is ColumnType.ID and name not in _HASHED:
        values = [hash64(value) if isinstance(value, str) else value for value in values]
    try:
        return pa.array(values, TYPES[kind])
    except (OverflowError, pa.ArrowInvalid):
        limit = 1 << TYPES[kind].bit_width - 1
        # A number that does not fit its column is a mistake in the log: unknown, and no reason to lose the batch.
        return pa.array(
            [None if value is None or not -limit <= value < limit else value for value in values], TYPES[kind]
        )


def cut(name: str, words: Sequence[str | None]) -> Sequence[str | None]:
    """Return the words of a column, cut to the length of a name where they are names."""
    return [word and word[:MAX_NAME_CHARS] for word in words] if COLUMNS[name] is ColumnType.NAME else words
