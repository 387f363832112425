"""Envoy AI Gateway's access log, with the fields that its documentation gives names to. Inclusive.

The gateway converts the counts of any provider, so that cached tokens are part of the input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import merge_key, operation, outcome
from llm_audit.sources.records.disjoint import Convention
from llm_audit.sources.records.fields import as_int, first, number, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tokens import read_tokens

_COUNT = re.compile(r"genai_tokens_(\w+)")


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    given = {name: None if value == "-" else value for name, value in record.items()}  # Envoy's sign for nothing
    counts = {f"{found[1]}_tokens": value for name, value in given.items() if (found := _COUNT.fullmatch(name))}
    requested = text(given.get("genai_model_name"))
    model = text(given.get("genai_model_name_override")) or requested
    if model is None:
        if any(map(number, counts.values())):
            raise BadRecordError(Reason.NO_MODEL, "genai_model_name")
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)
        return
    code, time_us = as_int(given.get("response_code")), micros(given.get("start_time"), "start_time")
    status, request_id = outcome(code), text(given.get("x-request-id"))
    yield Request(
        model=model,
        model_requested=requested,
        operation=operation(first(given, "x-envoy-origin-path", "path")),
        time_us=time_us,
        request_id=request_id,
        merge_key=merge_key(request_id and f"envoy:{request_id}@{time_us}", model=model, status=status),
        tags=tuple(f"backend={name}" for name in [text(given.get("genai_backend_name"))] if name is not None),
        status=status,
        status_code=code,
        latency_ms=number(given.get("duration")),
        usage=read_tokens(counts, convention=Convention.INCLUSIVE, model=model),
    )


FORMAT = Format(
    info=FormatInfo(
        name="envoy-ai-gateway",
        title="Envoy AI Gateway access log (JSON)",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="inclusive",
        tells=("time", "id", "cache", "latency"),
        notes="Fields as its documentation names them (genai_model_name, genai_tokens_input, …); they are the "
        "operator's choice. Fields named gen_ai.… are read as spans. MCP requests are no calls.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "genai_model_name" in record and any(map(_COUNT.fullmatch, record)),
    entries=_entries,
    keys=frozenset({"genai_model_name"}),
    keys_decide=True,
)
