"""A record that pairs a request with its response, and bare response bodies, whoever the provider is.

Bodies may be objects, JSON in a string, or a stream.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote, urlsplit

import msgspec

from llm_audit.sources.entry import Record
from llm_audit.sources.records.column_names import ABSENT, columns_of
from llm_audit.sources.records.fields import (
    Json,
    as_int,
    first,
    mapping,
    parsed,
    text,
)
from llm_audit.sources.records.streams import assemble, is_chunk, is_stream, lines, streamed_body
from llm_audit.sources.remembered import remembered

_FIRST_EVENT = "message_start"  # of a stream that was logged event by event
_MAX_SHAPES = 256  # sets of headers remembered
_REQUESTS = ("request", "request_body", "requestBody")
_RESPONSES = ("response", "response_body", "responseBody")
_USAGES = ("usage", "token_usage", "usage_metadata")
_RESPONSE_FIELDS = frozenset(
    {"choices", "usage", "usageMetadata", "usage_metadata", "candidates", "eval_count", "object"}
)
_NO_CALLS = (
    "/count_tokens",
    "counttokens",
    "/files",
    "/models",
    "/batches",
    "/cancel",
    "/input_tokens",
    "/input_items",
)


class Pair(msgspec.Struct, frozen=True, gc=False):
    """A request and its response. The bodies are empty where the log holds none."""

    request_body: Json
    response_body: Json
    outer: Record  # the record around them
    path: str = ""  # of the URL, unquoted
    host: str = ""
    method: str = ""
    code: int | None = None
    headers: Json | None = None
    streamed: bool | None = None

    @property
    def is_call(self) -> bool:
        """Return whether a model was called, rather than tokens counted, a file sent or an earlier response fetched."""
        return self.method != "get" and not self.path.lower().endswith(_NO_CALLS)

    def header(self, name: str) -> str | None:
        """Return a response header by its lower-case name."""
        headers = self.headers
        if not headers:
            return None
        found = headers.get(_headers_by_name(tuple(headers)).get(name, name))
        return text(found[0]) if isinstance(found, list) and found else text(found)


def read_pair(record: Record) -> Pair | None:
    """Return the pair, or the bare response, that a record holds; None where it holds neither."""
    raw_request, raw_response = first(record, *_REQUESTS), first(record, *_RESPONSES)
    if raw_response is None and raw_request is not None and (usage := mapping(first(record, *_USAGES))):
        raw_response = {"usage": usage}  # kept in a column of its own
    if raw_request is None and is_bare(record):
        return Pair({}, assemble([record]) if record.get("type") == _FIRST_EVENT else record, record)
    if raw_response is None and raw_request is None:
        return None
    request_body, response_body = mapping(raw_request), mapping(raw_response)
    if not response_body and raw_response is not None:
        if _is_streamed(raw_response):
            response_body = {"body": raw_response}
        elif "model" in request_body and _counts_tokens(record):
            response_body = _reply(raw_response, _usage_beside(record))
    if raw_request is None:  # the request's own fields are next to the response
        if not response_body or not (_RESPONSE_FIELDS & response_body.keys() or "body" in response_body):
            return None
        request_body = record
    if not request_body or not (response_body or raw_response is None):
        return None
    body, streamed = read_body(response_body.get("body", response_body))
    http = request_body  # or the body itself
    request_body = mapping(http["body"]) if "body" in http else mapping(http.get("json")) or http
    path, host = _address(http) or _address(record) or ("", "")
    status = first(response_body, "status", "status_code", "statusCode")
    outer_status = first(record, "status_code", "status", "http_status")
    code = as_int(status if status is not None else outer_status)
    return Pair(
        request_body=request_body,
        response_body=body,
        outer=record,
        path=path,
        host=host,
        method=(text(http.get("method")) or "").lower(),
        code=code if code is not None and 100 <= code < 600 else None,
        headers=mapping(response_body.get("headers")),
        streamed=streamed,
    )


def is_bare(body: Json) -> bool:
    """Return whether a record is a provider's response body itself."""
    return (
        text(body.get("object")) in _OBJECTS
        or (body.get("type") == "message" and "usage" in body)
        or (body.get("type") == _FIRST_EVENT and "message" in body)
        or "usageMetadata" in body
        or ("done" in body and "created_at" in body and "model" in body)
        or is_event(body)
    )


def is_event(body: Json) -> bool:
    """Return whether a record is an event of a stream of OpenAI's Responses, without the response."""
    kind = body.get("type")
    if type(kind) is not str or "sequence_number" not in body:
        return False
    return kind.startswith("response.") and _NOT_IN_EVENTS.isdisjoint(body)


def read_body(body: object) -> tuple[Json, bool | None]:
    """Return a response body, put together where it was streamed, and whether it is known to have been."""
    if isinstance(body, str):
        if is_stream(body):
            return streamed_body(body), True
        found = parsed(body)
        body = lines(body) if isinstance(found, str) and found.lstrip()[:1] == "{" else found
    if isinstance(body, list):
        return assemble([chunk for chunk in body if isinstance(chunk, dict)]), True
    return mapping(body), None


def _counts_tokens(record: Record) -> bool:
    columns = columns_of(record)
    if columns.model is not ABSENT or columns.served is not ABSENT or columns.marks or columns.requests is not ABSENT:
        return False  # a row of its own, of which the bodies are but columns
    return any(column is not ABSENT for column in (columns.usage, columns.input, columns.output, columns.total))


def _usage_beside(record: Record) -> Json:
    """Return the object of counts in a column of its own: a usage, or tokens under bare names."""
    return mapping(first(record, *_USAGES)) or mapping(record.get(columns_of(record).total))


def _reply(reply: object, usage: Json) -> Json:
    """Return the body of a response of which a log kept the reply alone, with the usage in a column of its own."""
    first_item = reply[0] if isinstance(reply, list) and reply else None
    message = first_item if isinstance(first_item, dict) else {"role": "assistant", "content": text(reply)}
    body = {"object": "chat.completion", "choices": [{"message": message}]}
    return {**body, "usage": usage} if usage else body


def _is_streamed(response: object) -> bool:
    """Return whether a response is a stream: server-sent events, JSON lines, or an array of chunks."""
    if isinstance(response, str):
        if is_stream(response):
            return True
        found = parsed(response) if response.lstrip()[:1] in ("{", "[") else None
        response = lines(response) if isinstance(found, str) else found
    first_chunk = response[0] if isinstance(response, list) and response else None
    return isinstance(first_chunk, dict) and is_chunk(first_chunk)


def _address(place: Json) -> tuple[str, str] | None:
    """Return the path of a URL, unquoted, and its host; None where there is no URL."""
    found = text(first(place, "uri", "url", "path", "endpoint"))
    return _path_and_host(found) if found is not None and found.startswith(("http", "/")) else None


@remembered
def _path_and_host(found: str) -> tuple[str, str] | None:
    try:
        url = urlsplit(found)
        host = url.hostname or ""
    except ValueError:
        return None
    return unquote(url.path), host.lower()


@lru_cache(maxsize=_MAX_SHAPES)
def _headers_by_name(keys: tuple[str, ...]) -> dict[str, str]:
    """Return the keys of headers by their lower-case names, the first of several; most logs repeat a few sets."""
    return {key.lower(): key for key in reversed(keys)}


_NOT_IN_EVENTS = frozenset({"response", "model", "usage"})  # but in records of custom logs
KEYS = frozenset({*_REQUESTS, *_RESPONSES, "object", "type", "usageMetadata", "done"})
_OBJECTS = frozenset({"chat.completion", "chat.completion.chunk", "response", "text_completion", "interaction"})
