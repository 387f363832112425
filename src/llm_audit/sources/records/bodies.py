"""A provider's own request and response bodies, found inside a gateway's or a tracer's record.

The same fields serve OpenAI chat and Responses, Anthropic Messages, Gemini and Bedrock Converse, since their names do
not collide.
"""

from __future__ import annotations

from llm_audit.sources.entry import NO_USAGE, Request, Usage
from llm_audit.sources.records.calls import tier
from llm_audit.sources.records.fields import Json, as_int, first, flag, listing, mapping, objects, text
from llm_audit.sources.records.interactions import reply_of
from llm_audit.sources.records.messages import is_redacted, offer_tools, read_messages, set_reply
from llm_audit.sources.records.usage import of_any
from llm_audit.vocabulary import ServiceTier

_USAGE = ("usage", "usageMetadata", "usage_metadata")
_MAX_OUTPUT = (
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "maxOutputTokens",
    "maxTokens",
    "max_tokens_to_sample",
)
_LIMITS = frozenset(_MAX_OUTPUT)
_SCHEMAS = ("responseSchema", "response_schema", "responseJsonSchema", "response_json_schema")
_OF_SCHEMAS = frozenset((*_SCHEMAS, "response_format", "text", "output_config"))
_OF_REASONING = frozenset({"reasoning_effort", "reasoning", "thinking", "thinkingConfig", "thinking_config"})
_SETTINGS = ("generationConfig", "generation_config", "inferenceConfig", "config")
_TOOLS = ("tools", "functions", "toolConfig")
_PARAMETERS = _OF_SCHEMAS | _OF_REASONING | {*_MAX_OUTPUT, *_SETTINGS, *_TOOLS}
_TIERS = ("service_tier", "serviceTier", "trafficType", "traffic_type")
_ANYWHERE = frozenset({"not_available", "global", "default"})
_FAST = ServiceTier.FAST.value
_NO_EFFORT = frozenset({"none", "minimal", "disabled", "off"})


def read_request_body(request: Request, body: Json) -> None:
    """Set the fields of a request that its body states: the prompt, the tools offered and the requirements."""
    if not body:
        return
    request.messages = read_messages(
        first(body, "messages", "contents", "input", "prompt"),
        first(body, "system", "instructions", "systemInstruction", "system_instruction"),
    )
    request.redacted = is_redacted(request.messages)
    read_parameters(request, body)


def read_parameters(request: Request, body: Json) -> None:
    """Set the fields of a request that its parameters state, apart from its prompt."""
    if request.streamed is None:
        request.streamed = flag(body.get("stream"))
    if _PARAMETERS.isdisjoint(body):
        return
    tools = first(body, *_TOOLS)
    if tools is not None:
        offer_tools(request, listing(tools) or tools)
    settings = mapping(first(body, *_SETTINGS))
    for place in (body, settings) if settings else (body,):
        for name in _MAX_OUTPUT:
            limit = as_int(place.get(name)) if name in place else None
            if limit is not None:
                request.max_output_tokens = limit if limit > 0 else request.max_output_tokens
                break
        if not _OF_SCHEMAS.isdisjoint(place):
            request.needs_json_schema = request.needs_json_schema or _wants_schema(place)
        if not _OF_REASONING.isdisjoint(place):
            request.needs_reasoning = request.needs_reasoning or _wants_reasoning(place)


def read_response_body(request: Request, body: Json) -> None:
    """Set the text and the tool calls of a response body."""
    given = body.get("choices")
    if type(given) is list and len(given) == 1 and (written := _plain_text(given[0])):  # as most replies are
        request.completion, request.completion_calls, request.completion_call_id = written, "", None
        return
    choices = [first(choice, "message", "delta", "text") for choice in objects(given)] if given else []
    content = choices or first(body, "output", "content", "candidates", "message") or reply_of(body) or None
    items = content if isinstance(content, list) else []
    if items and isinstance(items[0], dict) and isinstance(items[0].get("content"), dict):
        content = [item.get("content") for item in objects(content)]  # Gemini's candidates
    if isinstance(content, dict) and isinstance(content.get("message"), dict):
        content = content["message"]  # Bedrock Converse
    if isinstance(content, list) and content and all(isinstance(part, dict) and "role" not in part for part in content):
        content = {"role": "assistant", "content": content}
    set_reply(request, content)


def _plain_text(choice: object) -> str | None:
    """Return the text of a choice whose message is one text; None for any other."""
    message = choice.get("message") if type(choice) is dict else None
    if type(message) is not dict or message.get("role") != "assistant":
        return None
    content = message.get("content")
    if type(content) is not str or message.get("tool_calls") or message.get("function_call"):
        return None
    return content


def usage_of(body: Json) -> Usage:
    """Read the usage a response body holds; ``NO_USAGE`` where it holds none."""
    found = mapping(first(body, *_USAGE))
    if not found and "billed_units" in (about := mapping(body.get("meta"))):
        found = about  # of Cohere's first API, and of its embeddings
    return of_any(found) if found else NO_USAGE


def tier_of(*bodies: Json) -> str:
    """Return the service tier of a call: what the first of its bodies says that names one, itself or in its usage.

    The body of a response comes before that of its request, which may ask for what it does not get.

    >>> tier_of({"usage": {"service_tier": "batch"}}), tier_of({"service_tier": "default"}, {"service_tier": "flex"})
    ('batch', 'standard')
    """
    places = [place for body in bodies for place in (body, mapping(first(body, *_USAGE))) if place]
    if next((speed for body in bodies if (speed := _speed_of(body)) is not None), None) == _FAST:
        return _FAST
    for place in places:
        named = first(place, *_TIERS)
        named = named.get("type") if isinstance(named, dict) else named
        if isinstance(named, str) and named != "auto":
            return str(tier(named))
    return str(ServiceTier.STANDARD)


def _speed_of(body: Json) -> str | None:
    """Return Anthropic's speed in a usage, or in a request, which limits its output; an answer may tell any speed."""
    asked = None if _LIMITS.isdisjoint(body) else body.get("speed")
    return text(mapping(first(body, *_USAGE)).get("speed", asked))


def place_of(*bodies: Json) -> str | None:
    """Return where a model ran as a usage states it, since the price depends on it; None for anywhere."""
    places = (region_of_usage(mapping(first(body, *_USAGE))) for body in bodies)
    return next((place for place in places if place is not None), None)


def region_of_usage(usage: Json) -> str | None:
    """Return where a model ran by Anthropic's usage; None for anywhere."""
    region = text(usage.get("inference_geo"))
    return None if region in _ANYWHERE else region


def model_of(body: Json) -> str | None:
    """Return the model a body names."""
    return text(first(body, "model", "modelVersion", "model_version"))


def _wants_schema(body: Json) -> bool:
    wanted = mapping(body.get("response_format"))
    if not wanted:
        wanted = mapping(mapping(body.get("text")).get("format")) or mapping(
            mapping(body.get("output_config")).get("format")
        )
    return wanted.get("type") == "json_schema" or first(body, *_SCHEMAS) is not None


def _wants_reasoning(body: Json) -> bool:
    config = mapping(first(body, "thinkingConfig", "thinking_config"))
    budget = as_int(first(config, "thinkingBudget", "thinking_budget"))
    levels = (
        body.get("reasoning_effort") or mapping(body.get("reasoning")).get("effort"),
        mapping(body.get("thinking")).get("type"),
        first(config, "thinkingLevel", "thinking_level"),
    )
    wanted = any(isinstance(level, str) and level.lower() not in _NO_EFFORT for level in levels)
    return wanted or (budget is not None and budget != 0)  # -1 leaves the budget to the model
