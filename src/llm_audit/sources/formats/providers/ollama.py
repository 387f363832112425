"""Ollama: its own chat and generate API, and its OpenAI-compatible one. Durations are in nanoseconds."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Record
from llm_audit.sources.formats.dialects import Dialect, pair_of, speaks
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.pair_requests import request_of, set_counts
from llm_audit.sources.formats.providers.openai_chat import chat_request
from llm_audit.sources.records.calls import merge_key
from llm_audit.sources.records.fields import number, text
from llm_audit.sources.records.pair import KEYS
from llm_audit.sources.records.usage import of_ollama

_NS_PER_MS = 1_000_000


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    pair = pair_of(record, context)
    body = pair.response_body
    if not pair.is_call:
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
    elif "choices" in body:
        request = chat_request(pair, provider="ollama")
        # Its ids are three digits long, so the second of the call goes with them.
        call_id = text(body.get("id"))
        request.merge_key = merge_key(
            call_id and f"{call_id}@{request.time_us}", model=request.model, status=request.status
        )
        yield request
    elif body.get("done") is False:
        yield NotACall(NotCallReason.METADATA)  # a chunk of a stream, before the one that counts
    else:
        request = request_of(pair, provider="ollama")
        duration_ns = number(body.get("total_duration"))
        if duration_ns is not None:
            request.latency_ms = duration_ns / _NS_PER_MS
        set_counts(request, pair, of_ollama(body))
        yield request


FORMAT = Format(
    info=FormatInfo(
        name="ollama",
        title="Ollama: its own API and the OpenAI-compatible one; pairs and bare bodies",
        evidence=Evidence.REAL,
        input_counts="inclusive",
        tells=("time", "prompts", "cache", "latency"),
        notes="The OpenAI-compatible API was checked against real records, the native one against its documentation. "
        "Models run at home have no price unless a price file gives one.",
    ),
    specificity=Specificity.PAIR,
    matches=speaks(Dialect.OLLAMA),
    entries=_entries,
    keys=KEYS,
)
