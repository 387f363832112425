"""Requests of pairs: what the two bodies and the record around them say, all but the usage.

Whatever surrounds the pair (times, ids, labels, status) is read by the names custom logs give such columns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from llm_audit.sources.entry import BadRecordError, Reason, Record, Request, Usage
from llm_audit.sources.records.billing.costs import cost_of_usage, set_stated
from llm_audit.sources.records.bodies import model_of, read_request_body, read_response_body
from llm_audit.sources.records.calls import merge_key, operation, outcome, tier
from llm_audit.sources.records.column_names import ABSENT, Columns, columns_of
from llm_audit.sources.records.fields import Attribution, Json, attribution_of, first, labels, mapping, number, text
from llm_audit.sources.records.hosts import provider_of
from llm_audit.sources.records.pair import Pair
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.sources.records.tokens import count_tokens, usage_of_counts
from llm_audit.vocabulary import ServiceTier, Status

_STANDARD = str(ServiceTier.STANDARD)
_UNATTRIBUTED = Attribution()


class _Around(NamedTuple):
    """What is around the bodies of a pair: the record, its columns, and the metadata of the record and the request."""

    outer: Record
    columns: Columns
    outer_metadata: Json
    own_metadata: Json


def request_of(pair: Pair, *, provider: str | None, model: str | None = None) -> Request:
    """Build the request of a pair, all but its usage.

    ``model`` is the requested one, where it is not in the body but in the URL. Raises ``BadRecordError`` where neither
    body names a model.
    """
    request_body, response_body = pair.request_body, pair.response_body
    requested = model or text(request_body.get("model")) or _deployment(pair.path)
    served = model_of(response_body) or requested
    if served is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    columns, get = columns_of(pair.outer), pair.outer.get
    around = _Around(pair.outer, columns, mapping(get(columns.metadata)), mapping(request_body.get("metadata")))
    told = bool(around.outer_metadata or around.own_metadata)
    code = pair.code
    status = _status(pair)
    attribution = _attribution(around, request_body)
    time_us = _time_us(pair, columns)
    response_id = text(first(response_body, "id", "responseId", "response_id")) or _request_id(pair)
    request = Request(
        model=served,
        model_requested=requested,
        provider=provider or provider_of(pair.host),
        operation=operation(pair.path),
        time_us=time_us,
        service_tier=_tier(pair),
        request_id=text(get(columns.request_id)) or response_id,
        merge_key=merge_key(response_id, model=served, status=status),
        conversation=text(get(columns.conversation)) or (_id_in_metadata(around, "conversation") if told else None),
        trace=text(get(columns.trace)) or (_id_in_metadata(around, "trace") if told else None),
        span=text(get(columns.span)),
        parent_span=text(get(columns.parent_span)),
        team=attribution.team,
        app=attribution.app,
        user=attribution.user,
        environment=attribution.environment,
        tags=attribution.tags,
        streamed=pair.streamed,
        status=status,
        status_code=code,
        latency_ms=_latency_ms(pair, columns, time_us),
    )
    set_stated(request, pair.outer, columns)
    if request.stated_cost_pico is None and (usage := mapping(response_body.get("usage"))):
        request.stated_cost_pico = cost_of_usage(usage)
    read_request_body(request, request_body)
    read_response_body(request, response_body)
    return request


def counts_around(pair: Pair) -> Usage:
    """Read the token counts that a record states around bodies, which serve where the response has none."""
    return usage_of_counts(count_tokens(pair.outer, nested=False))


def _deployment(path: str) -> str | None:
    """Return the deployment an Azure URL names, since the body then names no model."""
    _, found, rest = path.partition("/deployments/")
    return rest.partition("/")[0] or None if found else None


def _status(pair: Pair) -> str:
    body = pair.response_body
    state = text(body.get("status"))
    if state in {"cancelled", "canceled"}:
        return Status.CANCELLED.value
    if state == "failed" or body.get("error") or body.get("type") == "error":
        return Status.ERROR.value
    if pair.code is not None:
        return str(outcome(pair.code))
    return Status.OK.value if body else Status.UNKNOWN.value


def _tier(pair: Pair) -> str:
    body = pair.response_body
    usage = mapping(first(body, "usage", "usageMetadata"))
    for given in (body, usage, pair.request_body):
        found: Any = first(given, "service_tier", "serviceTier")
        found = found.get("type") if isinstance(found, dict) else found
        if found is not None:
            return str(tier(found))
    return _STANDARD


def _attribution(around: _Around, request_body: Json) -> Attribution:
    outer, columns, outer_metadata, own_metadata = around
    if not (columns.attribution or columns.tags is not ABSENT or outer_metadata or own_metadata):
        user = text(request_body.get("user") or None)
        return _UNATTRIBUTED if user is None else Attribution(user=user)
    get = outer.get
    given = attribution_of({**own_metadata, **outer_metadata} if own_metadata else outer_metadata)
    user = request_body.get("user") or own_metadata.get("user_id")
    own_tags = labels(get(columns.tags))
    return Attribution(
        text(get(columns.team)) or given.team,
        text(get(columns.app)) or given.app,
        text(get(columns.user)) or given.user or text(user),
        text(get(columns.environment)) or given.environment,
        tuple(sorted({*given.tags, *own_tags})) if own_tags else given.tags,
    )


def _id_in_metadata(around: _Around, column: str) -> str | None:
    """Return an id that the caller put into the metadata of the call."""
    for given in (around.outer_metadata, around.own_metadata):
        found = text(given.get(getattr(columns_of(given), column))) if given else None
        if found is not None:
            return found
    return None


def _time_us(pair: Pair, columns: Columns) -> int | None:
    outer = pair.outer.get(columns.time)
    if outer is not None:
        return micros(outer, columns.time)
    body = pair.response_body
    found = first(body, "created", "created_at", "createTime", "create_time") or pair.header("date")
    return micros(found, "created")


def _request_id(pair: Pair) -> str | None:
    return pair.header("request-id") or pair.header("x-request-id") or pair.header("x-amzn-requestid")


def _latency_ms(pair: Pair, columns: Columns, time_us: int | None) -> float | None:
    get = pair.outer.get
    given = number(get(columns.latency_ms))
    if given is None and (seconds := number(get(columns.latency_s))) is not None:
        given = seconds * 1000
    if given is None:
        given = number(mapping(pair.response_body.get("metrics")).get("latencyMs"))
    if given is None:
        given = number(pair.header("openai-processing-ms"))
    if given is None:
        given = between_ms(time_us, micros(get(columns.end_time), columns.end_time))
    return given
