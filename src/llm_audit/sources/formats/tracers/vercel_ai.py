"""Spans of the Vercel AI SDK: ``….doGenerate``, ``….doStream`` and ``….doEmbed`` are calls; parents repeat them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records import tracing
from llm_audit.sources.records.bodies import place_of, tier_of
from llm_audit.sources.records.calls import cost_pico, merge_key, provider, set_usage
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, as_int, at, first, listing, mapping, objects, parsed, text
from llm_audit.sources.records.messages import is_redacted, offer_tools, read_messages, set_reply
from llm_audit.sources.records.usage import of_anthropic, of_gemini
from llm_audit.vocabulary import Operation

_CALLS = (".doGenerate", ".doStream", ".doEmbed")
_INPUT = (
    "ai.usage.inputTokens",
    "ai.usage.promptTokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "ai.usage.tokens",
)
_OUTPUT = (
    "ai.usage.outputTokens",
    "ai.usage.completionTokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
)
_DETAILS = "ai.usage.inputTokenDetails."
_EXCLUSIVE_READ = ("cacheReadInputTokens",)  # names in the metadata of Anthropic and Bedrock
_EXCLUSIVE_WRITE = ("cacheWriteInputTokens", "cacheCreationInputTokens")
_INCLUSIVE_READ = ("cachedPromptTokens", "promptCacheHitTokens", "cachedTokens")  # of OpenAI, DeepSeek, OpenRouter
_PARTS = {"tool-call": "tool_call", "tool-result": "tool_result"}


def read(span: tracing.Span) -> Entry:
    """Read one span of the SDK."""
    attributes = span.attributes
    step = text(attributes.get("ai.operationId")) or span.name
    if not step.endswith(_CALLS):
        return NotACall(NotCallReason.NOT_A_MODEL_CALL if step == "ai.toolCall" else NotCallReason.PARENT_SPAN)
    requested = text(first(attributes, "ai.model.id", "gen_ai.request.model"))
    model = text(first(attributes, "ai.response.model", "gen_ai.response.model")) or requested
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "ai.model.id")
    request = tracing.request(
        span,
        model=model,
        requested=requested,
        vendor=provider(first(attributes, "ai.model.provider", "gen_ai.system")),
        operation=Operation.EMBEDDING if step.endswith(".doEmbed") else Operation.CHAT,
    )
    response_id = first(attributes, "ai.response.id", "gen_ai.response.id")
    request.merge_key = merge_key(response_id, model=model, status=request.status) or request.merge_key
    metadata = mapping(attributes.get("ai.response.providerMetadata"))
    told = [part for part in metadata.values() if isinstance(part, Mapping)]
    request.service_tier, request.region = tier_of(*told), place_of(*told)
    request.stated_cost_pico = cost_pico(_stated_cost(metadata))
    request.streamed = step.endswith(".doStream")
    request.needs_json_schema = "Object." in step
    request.max_output_tokens = as_int(first(attributes, "ai.settings.maxOutputTokens", "ai.settings.maxTokens"))
    request.messages = read_messages([_plain(item) for item in objects(attributes.get("ai.prompt.messages"))])
    request.redacted = is_redacted(request.messages)
    offer_tools(request, [parsed(tool) for tool in listing(attributes.get("ai.prompt.tools"))])
    calls = [_part({**call, "type": "tool-call"}) for call in objects(attributes.get("ai.response.toolCalls"))]
    output = first(attributes, "ai.response.text", "ai.response.object")
    message = {"role": "assistant", "content": [*([output] if isinstance(output, str) else []), *calls]}
    set_reply(request, message)
    set_usage(request, _usage(attributes, metadata, request.provider, model))
    return request


def _plain(message: Json) -> Json:
    content = message.get("content")
    return {**message, "content": [_part(part) for part in objects(content)]} if isinstance(content, list) else message


def _part(part: Json) -> Json:
    """Rename the fields of the SDK's tool parts as other formats name them."""
    kind = _PARTS.get(text(part.get("type")) or "")
    if kind is None:
        return part
    output = part.get("output")
    return {
        "type": kind,
        "id": part.get("toolCallId"),
        "tool_use_id": part.get("toolCallId"),
        "name": part.get("toolName"),
        "arguments": first(part, "input", "args"),
        "isError": part.get("isError"),
        "status": mapping(output).get("type"),  # text, json, error-text, error-json
        "content": first(mapping(output), "value") or first(part, "output", "result"),
    }


def _usage(attributes: Json, metadata: Json, vendor: str | None, model: str) -> Usage:
    """Read what the provider reports in the metadata, and what that leaves out from the SDK's own counts.

    From version 6 on, which alone has details of the input, the SDK's input includes cached tokens for every provider.
    """
    given = [part for part in metadata.values() if isinstance(part, Mapping)]
    output = read_count(attributes, *_OUTPUT)
    for part in given:
        gemini, own = mapping(part.get("usageMetadata")), mapping(part.get("usage"))
        if "promptTokenCount" in gemini:
            return of_gemini(gemini)
        if "input_tokens" in own:  # of a stream, the output it began with
            return of_anthropic({**own, "output_tokens": max(output or 0, read_count(own, "output_tokens") or 0)})
    extra = {name: count for part in given for name, count in (*part.items(), *mapping(part.get("usage")).items())}
    for details in ("promptTokensDetails", "completionTokensDetails"):
        extra.update(mapping(extra.get(details)))
    convention = tracing.convention(vendor, model)
    if any(name in extra for name in (*_EXCLUSIVE_READ, *_EXCLUSIVE_WRITE)):
        convention = Convention.EXCLUSIVE
    if any(name in extra for name in _INCLUSIVE_READ) or any(name.startswith(_DETAILS) for name in attributes):
        convention = Convention.INCLUSIVE
    read = read_count(attributes, "ai.usage.cachedInputTokens", f"{_DETAILS}cacheReadTokens")
    write = read_count(attributes, f"{_DETAILS}cacheWriteTokens")
    reasoning = read_count(attributes, "ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens")
    return disjoint_usage(
        read_count(attributes, *_INPUT),
        output,
        cache_read=read or read_count(extra, *_EXCLUSIVE_READ, *_INCLUSIVE_READ) or read,
        cache_write=read_count(extra, *_EXCLUSIVE_WRITE) if write is None else write,
        reasoning=read_count(extra, "reasoningTokens") if reasoning is None else reasoning,
        reasoning_apart=vendor == "google" and "ai.usage.outputTokenDetails.reasoningTokens" not in attributes,
        total=read_count(attributes, "ai.usage.totalTokens"),
        wrapper_total=True,
        convention=convention,
    )


def _stated_cost(metadata: Json) -> object:
    """Return what a gateway says that it charged."""
    return at(metadata, "gateway", "cost") or at(metadata, "openrouter", "usage", "cost")


def is_span(attributes: Json) -> bool:
    """Return whether attributes are those of the SDK."""
    return "ai.operationId" in attributes


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    yield read(tracing.from_record(record))


FORMAT = Format(
    info=FormatInfo(
        name="vercel-ai",
        title="Vercel AI SDK spans",
        evidence=Evidence.REAL,
        input_counts="as the provider counts, where logged",
        tells=("time", "id", "prompts", "cache", "latency", "trace", "service_tier"),
        notes="ai.generateText, ai.streamText and their like repeat the usage of the call inside them and are not "
        "counted: an export without the inner spans holds no calls.",
    ),
    specificity=Specificity.SPAN,
    matches=lambda record, _: is_span(mapping(record.get("attributes")) or record),
    entries=_entries,
    keys=frozenset({"attributes", "ai.operationId"}),
    before=("openinference", "otel"),
)
