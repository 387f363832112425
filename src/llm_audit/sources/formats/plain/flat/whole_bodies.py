"""Response bodies that a custom log keeps whole, as JSON or as its text, where others keep the reply alone."""

from __future__ import annotations

from llm_audit.sources.entry import NO_USAGE, Request, Usage
from llm_audit.sources.records.billing.costs import cost_of_usage
from llm_audit.sources.records.billing.fees import read_grounding_fees, read_responses_fees, read_search_fees
from llm_audit.sources.records.bodies import model_of, place_of, read_response_body, tier_of, usage_of
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.column_names import Columns
from llm_audit.sources.records.fields import Json, as_int, first, mapping, text
from llm_audit.vocabulary import ServiceTier

_COUNTS = "usage"
_BEFORE_BODY = frozenset({"{", " ", "\n", "\r", "\t"})
_COMPLETIONS = ("chat.completion", "text_completion")


def may_be_whole(reply: object) -> bool:
    """Return whether a reply may be a response body as ``whole_body`` finds it; false of nearly all, at once."""
    if type(reply) is str:
        return reply[:1] in _BEFORE_BODY and _COUNTS in reply and reply.lstrip()[:1] == "{"
    return type(reply) is dict and bool(whole_body(reply))


def whole_body(reply: object) -> Json:
    """Return the response body that was kept where a log has the reply; an empty one where it is no such body.

    It is known by what the provider puts around a reply, and not by a usage alone, which a model may well write about.
    """
    if isinstance(reply, str) and not may_be_whole(reply):
        return {}
    body = mapping(reply)
    kind = body.get("object")
    is_whole = (
        (kind in _COMPLETIONS and bool(mapping(body.get("usage"))) and isinstance(body.get("choices"), list))
        or (kind == "response" and bool(mapping(body.get("usage"))) and isinstance(body.get("output"), list))
        or (body.get("type") == "message" and body.get("role") == "assistant" and bool(mapping(body.get("usage"))))
        or (isinstance(body.get("candidates"), list) and bool(mapping(first(body, "usageMetadata", "usage_metadata"))))
    )
    return body if is_whole else {}


def body_of(record: Json, columns: Columns, own: Usage) -> Json:
    """Return the response body that a record keeps whole, in place of the reply or beside it; empty where none is.

    Its counts say more than the record's own. Where these are others, it may be an example that a model wrote.
    """
    completion = record.get(columns.completion)
    if completion is None and not columns.holders:
        return {}
    found = (whole_body(value) for value in (completion, *(record[key] for key in columns.holders)))
    body = next((body for body in found if body), {})
    total = as_int(record.get(columns.total))
    return body if body and (own is NO_USAGE or _are_of_one_call(own, usage_of(body), total)) else {}


def _are_of_one_call(own: Usage, found: Usage, total: int | None) -> bool:
    """Return whether a record's own counts can be those of a body, whose input may have its cached tokens apart."""
    whole = _input_of(found)
    if total and own.input_tokens is None and own.output_tokens is None:
        return total - (found.output_tokens or 0) in (found.input_tokens, whole)
    outputs = own.output_tokens in (None, found.output_tokens)
    return found is not NO_USAGE and outputs and _input_of(own) in (0, found.input_tokens, whole)


def _input_of(usage: Usage) -> int:
    parts = (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_5m_tokens, usage.cache_write_1h_tokens)
    return sum(part or 0 for part in parts)


def read_whole(request: Request, body: Json) -> None:
    """Set what a body says of a request: the model served, the counts with their fees, the cost and the reply."""
    served, response_id = model_of(body), text(first(body, "id", "responseId", "response_id"))
    if served is not None and served != request.model:
        request.model_requested, request.model = request.model_requested or request.model, served
    counts = mapping(body.get("usage"))
    request.usage = usage_of(body)
    cost = cost_of_usage(counts) if counts else None
    if cost is not None:
        request.stated_cost_pico = cost
    if request.request_id is None and response_id is not None:
        request.request_id = response_id
        request.merge_key = merge_key(response_id, model=request.model, status=request.status)
    read_response_body(request, body)
    read_search_fees(request, counts)
    if body.get("object") == "response":
        read_responses_fees(request, {}, body)
    elif "candidates" in body:
        read_grounding_fees(request, body)


def set_tier(request: Request, body: Json) -> None:
    """Set the tier and the place that a body names; one of a batch may say ``default``, and then a column decides."""
    named = tier_of(body)
    says_so = first(body, "service_tier") is not None or first(mapping(body.get("usage")), "service_tier") is not None
    if named != ServiceTier.STANDARD or (says_so and request.service_tier != ServiceTier.BATCH):
        request.service_tier = named
    request.region = place_of(body) or request.region
