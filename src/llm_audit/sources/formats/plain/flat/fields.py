"""Readers of the fields of a custom record, whichever way it was decoded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from llm_audit.sources.entry import NO_USAGE, Message, Request, Usage
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.column_names import ABSENT, Columns, columns_of
from llm_audit.sources.records.fields import Attribution, Json, as_int, attribution_of, flag, mapping, number, text
from llm_audit.sources.records.messages import any_placeholder, set_reply
from llm_audit.sources.records.tokens import named_as_unread
from llm_audit.vocabulary import Status

_OK, _ERROR = Status.OK.value, Status.ERROR.value
_WORDS = {
    **dict.fromkeys(("ok", "success", "succeeded", "successful", "complete", "completed", "done", "finished"), _OK),
    **dict.fromkeys(("error", "errored", "failed", "failure", "timeout", "rate_limited"), _ERROR),
    **dict.fromkeys(("cancelled", "canceled", "aborted", "interrupted"), Status.CANCELLED.value),
}
_MAX_REMEMBERED = 2048  # metadata of different texts
_MAX_CHARS = 256  # of the texts in those that are remembered
_UNATTRIBUTED = Attribution()
TOTAL_ALONE = "total without its parts"
_PROVIDER_IDS = ("chatcmpl-", "cmpl-", "resp_", "msg_", "gen-")


def outcome(value: Any, error: Any) -> tuple[str, int | None]:
    """Return the status of a call and its HTTP status, by the status and the error that its record states."""
    if value is None or type(value) is bool:
        failed = value is False or error not in (None, "", False, "null", "None")
        return _ERROR if failed else _OK, None
    code = value if type(value) is int else as_int(value)
    if code is not None and 100 <= code < 600:
        return _OK if code < 400 else _ERROR, code
    word = value.strip().lower() if isinstance(value, str) else ""
    return _WORDS.get(word, Status.UNKNOWN.value), None


def merge_key_of(request_id: str | None, time_us: int | None, model: str, status: str) -> str | None:
    """Return the key of a call. Tries of one call may share a logger's own id, so the time is part of the key."""
    if request_id is None or request_id.startswith(_PROVIDER_IDS):
        return merge_key(request_id, model=model, status=status)
    return f"{request_id}@{time_us}|{model}|{status}"


def new_request(
    model: str,
    time_us: int | None,
    messages: list[Message] | None,
    *,
    request_id: Any,
    conversation: Any,
    trace: Any,
    stream: Any,
    latency_ms: Any,
    ended: tuple[str, int | None],
) -> Request:
    """Build a request of the fields that every custom record may have; ``ended`` is its ``outcome``."""
    request_id = text(request_id)
    status, code = ended
    return Request(
        model=model,
        time_us=time_us,
        request_id=request_id,
        merge_key=merge_key_of(request_id, time_us, model, status),
        conversation=text(conversation),
        trace=text(trace),
        streamed=stream if type(stream) is bool else flag(stream),
        status=status,
        status_code=code,
        latency_ms=float(latency_ms) if type(latency_ms) is int and 0 <= latency_ms < 10**12 else number(latency_ms),
        messages=messages,
        redacted=any_placeholder(messages),
    )


def set_attribution(request: Request, metadata: Any, attribution: tuple[Any, Any, Any, Any] | None) -> None:
    """Set to whom a call is attributed, and the ids in its metadata.

    Args:
        request: The request to change.
        metadata: The metadata of its record, of any shape.
        attribution: Team, app, user and environment as columns of their own; None where there is no such column.
    """
    nested = mapping(metadata)
    named = _UNATTRIBUTED
    if nested:
        named, inner = _attribution_and_columns(nested)
        if inner.conversation is not ABSENT and request.conversation is None:
            request.conversation = text(nested[inner.conversation])
        if inner.trace is not ABSENT and request.trace is None:
            request.trace = text(nested[inner.trace])
        request.team, request.app, request.user, request.environment, request.tags = named
    if attribution is not None:
        team, app, user, environment = attribution
        request.team = text(team) or named.team
        request.app = text(app) or named.app
        request.user = text(user) or named.user
        request.environment = text(environment) or named.environment


def _attribution_and_columns(metadata: Json) -> tuple[Attribution, Columns]:
    """Return the attribution in metadata, and its columns. Logs repeat few teams and features, so results are kept."""
    values = metadata.values()
    try:
        if sum(map(len, values)) > _MAX_CHARS:
            return attribution_of(metadata), columns_of(metadata)
        return _of_texts(tuple(metadata.items()))
    except TypeError:  # not texts alone
        return attribution_of(metadata), columns_of(metadata)


@lru_cache(maxsize=_MAX_REMEMBERED)
def _of_texts(items: tuple[tuple[str, str], ...]) -> tuple[Attribution, Columns]:
    metadata = dict(items)
    return attribution_of(metadata), columns_of(metadata)


def may_hold_usage(columns: Columns) -> bool:
    """Return whether counts can only be within the reply or the metadata, of records that have no column for them."""
    counted = any(key is not ABSENT for key in (columns.usage, columns.input, columns.output, columns.total))
    return not counted and (columns.completion is not ABSENT or columns.metadata is not ABSENT)


def with_left_out(usage: Usage, names: Sequence[str]) -> Usage:
    """Return a usage that names what was stated of tokens, where none of it could be used."""
    return named_as_unread(usage, names) if usage is NO_USAGE else usage


def set_completion(request: Request, completion: Any) -> None:
    """Set the reply of the model: a text, or messages of any shape."""
    if isinstance(completion, str):
        request.completion = completion
    else:
        set_reply(request, completion)
