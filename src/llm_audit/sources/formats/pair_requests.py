"""Requests of pairs: what the two bodies and the record around them say, all but the usage.

Whatever surrounds the pair (times, ids, labels, status) is read by the names custom logs give such columns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from llm_audit.sources.entry import NO_USAGE, BadRecordError, Reason, Request, Usage
from llm_audit.sources.records.billing.costs import cost_of_usage, set_stated
from llm_audit.sources.records.bodies import model_of, read_request_body, read_response_body
from llm_audit.sources.records.calls import is_batched, merge_key, operation, outcome, tier
from llm_audit.sources.records.column_names import ABSENT, Columns, columns_of
from llm_audit.sources.records.fields import Json, as_int, attribution_of, first, labels, mapping, number, text
from llm_audit.sources.records.hosts import provider_of
from llm_audit.sources.records.pair import Pair
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.sources.records.tokens import count_tokens, usage_of_counts, with_contradictions
from llm_audit.vocabulary import ServiceTier, Status

_STANDARD = str(ServiceTier.STANDARD)
_OK, _ERROR, _CANCELLED = Status.OK.value, Status.ERROR.value, Status.CANCELLED.value
_MAX_SHAPES = 4096  # sets of keys remembered
_STATES = frozenset({"status", "error", "type", "base_resp"})
_TIERS = ("service_tier", "serviceTier")
_OF_TIERS = frozenset(_TIERS)
_USAGES = ("usage", "usageMetadata")
_OWNERS = frozenset({"metadata", "user"})
_PROCESSING_MS = "openai-processing-ms"


class _Plan(NamedTuple):
    """What a record around bodies and its bodies may say, by their keys alone."""

    columns: Columns
    has_ids: bool  # of a conversation, trace or span, around the bodies
    has_owner: bool  # columns of it, metadata or a user
    has_state: bool  # the response says how the call ended
    has_tier: bool  # a body, or what is around them, names the tier, not counting the usage
    has_latency: bool  # besides a header


def request_of(pair: Pair, *, provider: str | None, model: str | None = None) -> Request:
    """Build the request of a pair, all but its usage, see ``set_counts``.

    ``model`` is the requested one, where it is not in the body but in the URL. Raises ``BadRecordError`` where neither
    body names a model.
    """
    request_body, response_body = pair.request_body, pair.response_body
    requested = model or text(request_body.get("model")) or _deployment(pair.path)
    served = model_of(response_body) or requested
    if served is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    plan, get, code = _plan_of(pair), pair.outer.get, pair.code
    columns = plan.columns
    status = _status(pair) if plan.has_state or code is None else outcome(code)
    time_us = _time_us(pair, columns)
    response_id = text(first(response_body, "id", "responseId", "response_id")) or _request_id(pair)
    usage = mapping(first(response_body, *_USAGES))
    request = Request(
        model=served,
        model_requested=requested,
        provider=provider or provider_of(pair.host),
        operation=operation(pair.path),
        time_us=time_us,
        service_tier=_tier(pair, usage, columns) if plan.has_tier or not _OF_TIERS.isdisjoint(usage) else _STANDARD,
        request_id=text(get(columns.request_id)) or response_id,
        merge_key=merge_key(response_id, model=served, status=status),
        streamed=pair.streamed,
        status=status,
        status_code=code,
        latency_ms=_latency_ms(pair, columns, time_us) if plan.has_latency else number(pair.header(_PROCESSING_MS)),
    )
    if plan.has_ids:
        request.conversation, request.trace = text(get(columns.conversation)), text(get(columns.trace))
        request.span, request.parent_span = text(get(columns.span)), text(get(columns.parent_span))
    if plan.has_owner:
        _set_owner(request, pair, columns)
    read_request_body(request, request_body)
    read_response_body(request, response_body)
    return request


def set_counts(request: Request, pair: Pair, usage: Usage) -> None:
    """Set the usage of a response, or else the counts around the bodies, and the cost that the log states.

    Counts around the bodies that contradict the response's, and a cost that cannot be used, are named as not used.
    """
    outer, columns = pair.outer, columns_of(pair.outer)
    if usage is NO_USAGE:
        request.usage = usage_of_counts(count_tokens(outer, nested=False), model=request.model)
    elif columns.input is ABSENT and columns.output is ABSENT:  # as most are
        request.usage = usage
    else:
        request.usage = with_contradictions(usage, columns.whole_counts(outer))
    if any(key is not ABSENT for key in (columns.cost, columns.other_cost, columns.input_cost)):
        set_stated(request, outer, columns)
    if request.stated_cost_pico is None and (stated := mapping(pair.response_body.get("usage"))):
        request.stated_cost_pico = cost_of_usage(stated)


def _deployment(path: str) -> str | None:
    """Return the deployment an Azure URL names, since the body then names no model."""
    _, found, rest = path.partition("/deployments/")
    return rest.partition("/")[0] or None if found else None


def _plan_of(pair: Pair) -> _Plan:
    """Return the plan of a pair; most logs repeat a few sets of keys."""
    _, asked, answered = shape = tuple(pair.outer), tuple(pair.request_body), tuple(pair.response_body)
    found = _plans.get(shape)
    if found is None:
        if len(_plans) >= _MAX_SHAPES:
            _plans.clear()
        columns = columns_of(pair.outer)
        ids = (columns.conversation, columns.trace, columns.span, columns.parent_span)
        latencies = (columns.latency_ms, columns.latency_s, columns.end_time)
        found = _plans[shape] = _Plan(
            columns,
            has_ids=any(key is not ABSENT for key in ids),
            has_owner=columns.attribution
            or columns.tags is not ABSENT
            or columns.metadata is not ABSENT
            or not _OWNERS.isdisjoint(asked),
            has_state=not _STATES.isdisjoint(answered),
            has_tier=not _OF_TIERS.isdisjoint((*asked, *answered))
            or columns.service_tier is not ABSENT
            or columns.batch is not ABSENT,
            has_latency="metrics" in answered or any(key is not ABSENT for key in latencies),
        )
    return found


def _status(pair: Pair) -> str:
    body = pair.response_body
    state = text(body.get("status"))
    if state in {"cancelled", "canceled"}:
        return _CANCELLED
    if state == "failed" or body.get("error") or body.get("type") == "error":
        return _ERROR
    if as_int(mapping(body.get("base_resp")).get("status_code")):
        return _ERROR  # of MiniMax, whose HTTP status is 200
    if pair.code is not None:
        return outcome(pair.code)
    return _OK if body else outcome(None)


def _tier(pair: Pair, usage: Json, columns: Columns) -> str:
    """Return the tier that the bodies name, or else the record around them.

    Bodies of a batch may say ``default``, and ask for any tier, so that of a batch the record around them decides.
    """
    get = pair.outer.get
    around = ServiceTier.BATCH if is_batched(pair.outer, columns) else tier(get(columns.service_tier))
    for given in (pair.response_body, usage, pair.request_body):
        found: Any = first(given, *_TIERS)
        found = found.get("type") if isinstance(found, dict) else found
        says_nothing = found == "default" or given is pair.request_body
        if found == "auto" or (around == ServiceTier.BATCH and says_nothing):
            continue
        if found is not None:
            return str(tier(found))
    return str(around)


def _set_owner(request: Request, pair: Pair, columns: Columns) -> None:
    """Set to whom a call is attributed, and of its ids those that are in metadata alone."""
    get, request_body = pair.outer.get, pair.request_body
    outer_metadata, own_metadata = mapping(get(columns.metadata)), mapping(request_body.get("metadata"))
    given = attribution_of({**own_metadata, **outer_metadata} if own_metadata else outer_metadata)
    user = request_body.get("user") or own_metadata.get("user_id")
    own_tags = labels(get(columns.tags))
    request.team = text(get(columns.team)) or given.team
    request.app = text(get(columns.app)) or given.app
    request.user = text(get(columns.user)) or given.user or text(user)
    request.environment = text(get(columns.environment)) or given.environment
    request.tags = tuple(sorted({*given.tags, *own_tags})) if own_tags else given.tags
    for metadata in (outer_metadata, own_metadata):
        if metadata:
            named = columns_of(metadata)
            request.conversation = request.conversation or text(metadata.get(named.conversation))
            request.trace = request.trace or text(metadata.get(named.trace))


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
        given = number(pair.header(_PROCESSING_MS))
    if given is None:
        given = between_ms(time_us, micros(get(columns.end_time), columns.end_time))
    return given


_plans: dict[tuple[tuple[str, ...], ...], _Plan] = {}
