"""OpenAI chat completions, and everything that copies them: pairs, streams and bare bodies.

The other calls of that API (legacy completions, embeddings, images, audio, moderations) are read too, and distinguished
by their operation. Input counts include cached tokens; reasoning is part of the output.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from llm_audit.sources.entry import NO_USAGE, Entry, NotACall, NotCallReason, Record, Request, Usage
from llm_audit.sources.formats.dialects import Dialect, pair_of, speaks
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.pair_requests import request_of, set_counts
from llm_audit.sources.records.billing.fees import read_search_fees
from llm_audit.sources.records.bodies import usage_of
from llm_audit.sources.records.disjoint import read_count
from llm_audit.sources.records.fields import mapping
from llm_audit.sources.records.pair import KEYS, Pair
from llm_audit.sources.records.usage import of_any, total_of_input
from llm_audit.vocabulary import Operation

_CHAT, _EMBEDDING, _IMAGE = Operation.CHAT.value, Operation.EMBEDDING.value, Operation.IMAGE.value
_NO_OUTPUT = frozenset({_EMBEDDING, Operation.RERANK.value})
_CHUNK = "chat.completion.chunk"
_BILLS_CITATIONS = "sonar-deep-research"


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    pair = pair_of(record, context)
    yield chat_request(pair) if pair.is_call else NotACall(NotCallReason.NOT_A_MODEL_CALL)


def chat_request(pair: Pair, *, provider: str | None = None, model: str | None = None) -> Request:
    """Build the request of a pair in the shape of chat completions."""
    request = request_of(pair, provider=provider, model=model)
    if pair.response_body.get("object") == "list" and request.operation == _CHAT:
        request.operation = _EMBEDDING
    set_counts(request, pair, chat_usage(pair))
    if pair.response_body.get("object") == _CHUNK and request.usage.output_tokens is None:
        request.completion, request.completion_calls = None, ""  # a chunk that is logged by itself holds a piece
    if request.operation == _IMAGE and "image" in request.model and request.usage.image_output_tokens is None:
        request.usage = replace(request.usage, image_output_tokens=request.usage.output_tokens)
    counts = mapping(pair.response_body.get("usage"))
    if request.usage is NO_USAGE and request.operation in _NO_OUTPUT:  # Voyage counts a total alone
        request.usage = total_of_input(counts)
    if _BILLS_CITATIONS in request.model:
        request.usage = _with_citations(request.usage, read_count(counts, "citation_tokens") or 0)
    read_search_fees(request, counts)
    return request


def _with_citations(usage: Usage, citations: int) -> Usage:
    """Add tokens of citations, which Perplexity's research model bills at the price of input, beside the total."""
    unread = [name for name in (usage.unread_counts or "").split(",") if name not in ("", "citation_tokens")]
    return replace(usage, input_tokens=(usage.input_tokens or 0) + citations, unread_counts=",".join(unread) or None)


def chat_usage(pair: Pair) -> Usage:
    """Read the usage of a chat completion; Groq's streams hold it in a field of their own."""
    found = usage_of(pair.response_body)
    if found is not NO_USAGE:
        return found
    groq = mapping(mapping(pair.response_body.get("x_groq")).get("usage"))
    return of_any(groq) if groq else NO_USAGE


FORMAT = Format(
    info=FormatInfo(
        name="openai-chat",
        title="OpenAI chat completions and compatible APIs: request/response pairs, streams, bare bodies",
        evidence=Evidence.REAL,
        input_counts="inclusive",
        tells=("time", "id", "prompts", "cache", "latency", "service_tier"),
        notes="A stream without stream_options.include_usage reports no usage; its tokens are then estimated.",
    ),
    specificity=Specificity.PAIR,
    matches=speaks(Dialect.CHAT),
    entries=_entries,
    keys=KEYS,
)
