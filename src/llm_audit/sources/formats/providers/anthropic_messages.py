"""Anthropic Messages: pairs, streams and bare bodies.

Input counts leave cached tokens out. ``iterations`` that are not plain messages (an advisor of another model, a
compaction) are billed beside the top-level counts, so each is a call of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import NO_USAGE, Entry, NotACall, NotCallReason, Record, Request
from llm_audit.sources.formats.dialects import Dialect, pair_of, speaks
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.pair_requests import request_of, set_counts
from llm_audit.sources.records.bodies import region_of_usage
from llm_audit.sources.records.fields import Json, mapping, objects, text
from llm_audit.sources.records.pair import KEYS, Pair
from llm_audit.sources.records.usage import of_anthropic
from llm_audit.vocabulary import ServiceTier


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    pair = pair_of(record, context)
    if not pair.is_call:
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
        return
    yield from messages_requests(pair)


def messages_requests(pair: Pair, *, provider: str | None = None, model: str | None = None) -> Iterator[Request]:
    """Build the requests of a pair in the shape of Messages: the call, then the calls made inside it."""
    request = request_of(pair, provider=provider, model=model)
    usage = mapping(pair.response_body.get("usage"))
    set_counts(request, pair, of_anthropic(usage) if usage else NO_USAGE)
    request.region = region_of_usage(usage) or region_of_usage(pair.request_body)
    if (text(usage.get("speed")) or text(pair.request_body.get("speed"))) == "fast":
        request.service_tier = ServiceTier.FAST.value
    inner = list(inner_calls(request, usage))
    yield request
    yield from inner


def inner_calls(request: Request, usage: Json) -> Iterator[Request]:
    """Yield the calls that were made inside another, by its response's ``usage``."""
    for place, iteration in enumerate(objects(usage.get("iterations"))):
        if iteration.get("type") == "message":
            continue  # part of the top-level counts
        inner = Request(
            model=text(iteration.get("model")) or request.model,
            provider=request.provider,
            time_us=request.time_us,
            service_tier=request.service_tier,
            region=request.region,
            merge_key=request.merge_key and f"{request.merge_key}|{place}",
            conversation=request.conversation,
            trace=request.trace,
            team=request.team,
            app=request.app,
            user=request.user,
            environment=request.environment,
            tags=request.tags,
            status=request.status,
        )
        inner.usage = of_anthropic(iteration)
        yield inner


FORMAT = Format(
    info=FormatInfo(
        name="anthropic-messages",
        title="Anthropic Messages: request/response pairs, streams, bare bodies",
        evidence=Evidence.REAL,
        input_counts="exclusive",
        tells=("id", "prompts", "cache", "service_tier"),
        notes="Responses hold no time; it is taken from the record around them or the Date header.",
    ),
    specificity=Specificity.PAIR,
    matches=speaks(Dialect.ANTHROPIC),
    entries=_entries,
    keys=KEYS,
)
