"""OpenRouter's chat completions: pairs and streams, with the cost OpenRouter charged."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Record
from llm_audit.sources.formats.dialects import Dialect, pair_of, speaks
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.providers.openai_chat import chat_request
from llm_audit.sources.records.calls import cost_pico
from llm_audit.sources.records.fields import Json, mapping, text
from llm_audit.sources.records.pair import KEYS


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    pair = pair_of(record, context)
    if not pair.is_call:
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
        return
    request = chat_request(pair, provider="openrouter")
    request.stated_cost_pico = stated_cost(mapping(pair.response_body.get("usage")))
    if upstream := text(pair.response_body.get("provider")):
        request.tags = (*request.tags, f"upstream={upstream}")
    yield request


def stated_cost(usage: Json) -> int | None:
    """Return what a call cost: OpenRouter's charge and, with the user's own key, what the provider charged."""
    charged = cost_pico(usage.get("cost"))
    upstream = cost_pico(mapping(usage.get("cost_details")).get("upstream_inference_cost"))
    return (charged or 0) + upstream if usage.get("is_byok") is True and upstream is not None else charged


FORMAT = Format(
    info=FormatInfo(
        name="openrouter",
        title="OpenRouter chat completions: request/response pairs, streams, bare bodies",
        evidence=Evidence.REAL,
        input_counts="inclusive",
        tells=("time", "id", "prompts", "cache", "cost", "service_tier"),
        notes="With the user's own key the stated cost is what the provider charged. An advisor's tokens are in the "
        "stated cost only.",
    ),
    specificity=Specificity.PAIR,
    matches=speaks(Dialect.OPENROUTER),
    entries=_entries,
    keys=KEYS,
)
