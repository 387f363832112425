"""OpenAI Responses: pairs, streams and bare bodies.

Input counts include cached tokens; reasoning is part of the output. ``previous_response_id`` refers to turns that the
log does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Record, Request
from llm_audit.sources.formats.dialects import Dialect, pair_of, speaks
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.pair_requests import request_of, set_counts
from llm_audit.sources.records.billing.fees import read_responses_fees
from llm_audit.sources.records.bodies import usage_of
from llm_audit.sources.records.fields import mapping, text
from llm_audit.sources.records.pair import KEYS, Pair, is_event


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    pair = pair_of(record, context)
    if is_event(pair.response_body):
        yield NotACall(NotCallReason.METADATA)
        return
    yield responses_request(pair) if pair.is_call else NotACall(NotCallReason.NOT_A_MODEL_CALL)


def responses_request(pair: Pair, *, provider: str | None = None) -> Request:
    """Build the request of a pair in the shape of Responses."""
    request = request_of(pair, provider=provider)
    set_counts(request, pair, usage_of(pair.response_body))
    read_responses_fees(request, pair.request_body, pair.response_body)
    if request.conversation is None:
        held = pair.response_body.get("conversation")
        request.conversation = text(held) or text(mapping(held).get("id"))
    return request


FORMAT = Format(
    info=FormatInfo(
        name="openai-responses",
        title="OpenAI Responses: request/response pairs, streams, bare bodies",
        evidence=Evidence.REAL,
        input_counts="inclusive",
        tells=("time", "id", "prompts", "cache", "latency", "service_tier"),
        notes="A call that continues an earlier one by previous_response_id does not hold the earlier turns.",
    ),
    specificity=Specificity.PAIR,
    matches=speaks(Dialect.RESPONSES),
    entries=_entries,
    keys=KEYS,
)
