"""Parts that Amazon Bedrock's logs, batches and API pairs have in common: model names in ARNs, shapes of usage."""

from __future__ import annotations

from msgspec.structs import replace

from llm_audit.sources.entry import NO_USAGE, Request, Usage
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, mapping
from llm_audit.sources.records.usage import of_any
from llm_audit.vocabulary import Operation

_NAMED_KINDS = frozenset({"foundation-model", "inference-profile"})
_METRICS = "amazon-bedrock-invocationMetrics"
_IMAGE_MODELS = ("stability.", "canvas", "image")


def model_of_arn(model: str) -> str:
    """Return the model id inside an ARN; what hides the model (a router, an application profile) keeps its kind.

    >>> model_of_arn("arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-lite-v1:0")
    'us.amazon.nova-lite-v1:0'
    >>> model_of_arn("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3")
    'application-inference-profile/a1b2c3'
    """
    if not model.startswith("arn:"):
        return model
    resource = model.split(":", 5)[-1]
    kind, _, name = resource.partition("/")
    return name if kind in _NAMED_KINDS and name else resource


def usage_of_body(body: Json) -> Usage:
    """Read the usage in a model's own response: Converse, Anthropic, Llama or the metrics Bedrock adds to a stream."""
    own = of_any(mapping(body.get("usage"))) if body.get("usage") else NO_USAGE
    if own.input_tokens is not None and own.output_tokens is not None:
        return own
    metrics = mapping(body.get(_METRICS))
    if metrics:
        return of_any(metrics)
    return disjoint_usage(
        read_count(body, "prompt_token_count", "inputTextTokenCount"), read_count(body, "generation_token_count")
    )


def usage_of_counts(input_part: Json, output_part: Json) -> Usage:
    """Read the counts the invocation log keeps beside the bodies. Exclusive."""
    return disjoint_usage(
        read_count(input_part, "inputTokenCount"),
        read_count(output_part, "outputTokenCount"),
        cache_read=read_count(input_part, "cacheReadInputTokenCount"),
        cache_write=read_count(input_part, "cacheWriteInputTokenCount"),
        convention=Convention.EXCLUSIVE,
    )


def of_stream(usage: Usage, model: str) -> Usage:
    """Return the usage of a call to ConverseStream, which counts cached tokens of OpenAI's models twice.

    Measured by others on openai.gpt-5 models: a stream's input is 4995 of which 4993 were written, and its total counts
    both, where the same call without a stream has an input of 2.
    """
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_5m_tokens or 0) + (usage.cache_write_1h_tokens or 0)
    if not cached or "openai." not in model or usage.input_tokens is None or usage.input_tokens < cached:
        return usage
    return replace(usage, input_tokens=usage.input_tokens - cached)


def set_operation(request: Request) -> None:
    """Set the kind of call by the model, since Bedrock names all of them alike."""
    name = request.model.lower()
    if "embed" in name:
        request.operation = Operation.EMBEDDING.value
    elif "rerank" in name:
        request.operation = Operation.RERANK.value
    elif any(part in name for part in _IMAGE_MODELS):
        request.operation = Operation.IMAGE.value
