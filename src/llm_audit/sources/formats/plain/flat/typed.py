"""Custom records with the usual columns, decoded from their line straight into a struct and read from that.

Most logs repeat one set of keys, so that a struct typed for them pays off: prompts are decoded as messages and
counts as counts, checked on the way. A line that does not fit is read as a dictionary by ``flat``, to the same result.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec

from llm_audit.sources.entry import BadRecordError, Message, Reason, Record, Request, TypedRecord, Usage
from llm_audit.sources.formats.interface import TypedReader
from llm_audit.sources.formats.plain.flat.fields import (
    TOTAL_ALONE,
    may_hold_usage,
    new_request,
    outcome,
    set_attribution,
    set_completion,
    with_left_out,
)
from llm_audit.sources.formats.plain.flat.object_reader import Kind, Value, object_reader, request_reader
from llm_audit.sources.formats.plain.flat.rows import row_plan
from llm_audit.sources.formats.plain.flat.whole_bodies import may_be_whole
from llm_audit.sources.records.column_names import ABSENT, USUAL, Columns, columns_of
from llm_audit.sources.records.disjoint import MAX_TOKENS, Convention, disjoint_usage
from llm_audit.sources.records.messages import read_messages
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tokens import with_contradictions

_MAX_SHAPES = 64  # sets of keys remembered
_Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_TOKENS)]
_Scalar = str | int | float | bool | None


class _Message(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, rename={"text": "content"}):
    """A message of a role and a text alone, with the attributes of ``entry.Message``."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    calls: ClassVar[str] = ""
    call_id: ClassVar[str] = ""
    images: ClassVar[int] = 0
    audio: ClassVar[int] = 0
    failed: ClassVar[bool] = False


class _Details(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    cached_tokens: _Count | None = None


class _Usage(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The part of a chat completion's usage that most logs keep."""

    prompt_tokens: _Count
    completion_tokens: _Count | None = None
    total_tokens: _Count | None = None
    prompt_tokens_details: _Details | None = None


_TYPES: Final[dict[str, Any]] = {
    **dict.fromkeys(USUAL, _Scalar),
    **dict.fromkeys(("input", "output", "cached", "total"), _Count | None),
    "usage": _Usage | None,
    "messages": list[_Message] | None,
    "metadata": Any,
    "completion": Any,
}
_VALUES: Final[dict[str, Value]] = {
    **dict.fromkeys(USUAL, Value(Kind.SCALAR)),
    **dict.fromkeys(("input", "output", "cached", "total"), Value(Kind.COUNT)),
    "usage": Value(Kind.NESTED, msgspec.json.Decoder(_Usage).decode),
    "messages": Value(Kind.MESSAGES, _Message),
    "metadata": Value(Kind.ANY, msgspec.json.Decoder().decode),
    "completion": Value(Kind.ANY, msgspec.json.Decoder().decode),
}
_OTHER: Final = Value(Kind.ANY, msgspec.json.Decoder(msgspec.Raw).decode)


def typed_reader(record: Record) -> TypedReader | None:
    """Return the reader of records with the keys of this one; None where it has columns that few logs have."""
    return _typed_reader(tuple(record))


@lru_cache(maxsize=_MAX_SHAPES)
def _typed_reader(keys: tuple[str, ...]) -> TypedReader | None:
    columns = columns_of(dict.fromkeys(keys))
    named = {column: key for column in USUAL if (key := getattr(columns, column)) is not ABSENT}
    others = [key for key in keys if key not in named.values()]
    if (
        not columns.only_usual
        or columns.model is ABSENT
        or (columns.usage is not ABSENT and columns.counts_caches)  # which may be needed beside it
        or may_hold_usage(columns)
        or any(columns_of({key: None}) != _NO_COLUMN for key in others)
    ):
        return None  # of two names for one column, a dictionary's order may decide
    column_of = {key: column for column, key in named.items()}
    names = {key: column_of.get(key) or f"other{number}" for number, key in enumerate(keys)}
    try:
        struct = msgspec.defstruct(
            "Usual",
            [(name, _TYPES.get(name, msgspec.Raw)) for name in names.values()],
            bases=(TypedRecord,),
            rename={name: key for key, name in names.items()},
            namespace=dict.fromkeys(USUAL - named.keys()),
            forbid_unknown_fields=True,
            gc=False,
        )
    except ValueError:  # a key with a quotation mark or a control character
        return None
    decode: Any = msgspec.json.Decoder(struct).decode
    compiled = object_reader(struct, {key: _VALUES.get(name, _OTHER) for key, name in names.items()})
    return TypedReader(
        decode=lambda raw: _plain_reply((compiled and compiled(raw)) or decode(raw)),
        read=lambda values: _request(values, columns),
        rows=None if compiled is None else row_plan(names),
    )


def _plain_reply(values: Any) -> Any:
    """Return the values of a line; one whose reply may be a whole response body is read as a dictionary."""
    if values.completion is not None and may_be_whole(values.completion):
        raise msgspec.ValidationError
    return values


def _request(values: Any, columns: Columns) -> Request:
    request = _plain_request(values) or _any_request(values, columns)
    if values.metadata is not None or columns.attribution:
        attribution = (values.team, values.app, values.user, None)
        set_attribution(request, values.metadata, attribution if columns.attribution else None)
    return request


def _any_request(values: Any, columns: Columns) -> Request:
    model = values.model
    if type(model) is not str or not model.strip():
        raise BadRecordError(Reason.NO_MODEL, "model")
    request = new_request(
        model,
        micros(values.time, columns.time),
        _prompt(values),
        request_id=values.request_id,
        conversation=values.conversation,
        trace=values.trace,
        stream=values.stream,
        latency_ms=values.latency_ms,
        ended=outcome(values.status, None),
    )
    request.usage = _usage(values)
    if values.usage is not None and (values.input is not None or values.output is not None):
        beside = {"input": (columns.input, values.input), "output": (columns.output, values.output)}
        request.usage = with_contradictions(request.usage, beside)
    if values.completion is not None:
        set_completion(request, values.completion)
    return request


def _prompt(values: Any) -> list[Message] | None:
    messages, system = values.messages, values.system
    system = read_messages(None, system) if isinstance(system, str) else None
    if messages is None:
        messages = read_messages(values.prompt)
    return [*system, *(messages or ())] if system else messages or None


def _usage(values: Any) -> Usage:
    usage = values.usage
    if usage is None:
        counted = disjoint_usage(
            values.input, values.output, cache_read=values.cached, total=values.total, convention=_INCLUSIVE
        )
        return with_left_out(counted, [TOTAL_ALONE]) if values.total else counted
    output, details = usage.completion_tokens, usage.prompt_tokens_details
    return disjoint_usage(
        usage.prompt_tokens,
        0 if output is None else output,
        cache_read=details.cached_tokens if details else None,
        total=usage.total_tokens,
        convention=_INCLUSIVE,
    )


_plain_request: Final = request_reader()
_NO_COLUMN: Final = Columns()
_INCLUSIVE: Final = Convention.INCLUSIVE  # members of enums are looked up slowly
