"""Higress' access log, an object a request: what its plugin for statistics found is JSON in the text of ``ai_log``.

Counts are those of the provider, whose format the gateway converts to OpenAI's.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import merge_key, operation, outcome
from llm_audit.sources.records.disjoint import Convention
from llm_audit.sources.records.fields import as_int, mapping, number, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tokens import read_tokens

_NOTHING: tuple[object, ...] = (None, "", "-", "{}", {})  # of a request to something else
_COUNTS = {"input_token": "input_tokens", "output_token": "output_tokens", "total_token": "total_tokens"}


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    found = mapping(record.get("ai_log"))
    if not found and record.get("ai_log") not in _NOTHING:  # such as a text that was cut
        raise BadRecordError(Reason.BAD_SHAPE, "ai_log")
    counts = {_COUNTS.get(name, name): value for name, value in found.items() if "token" in name}
    model = text(found.get("model"))
    if model is None:
        if counts:
            raise BadRecordError(Reason.NO_MODEL, "ai_log.model")
        yield NotACall(NotCallReason.NOT_A_MODEL_CALL)  # a request to something else
        return
    if found.get("cache_status") == "hit":
        yield NotACall(NotCallReason.GATEWAY_CACHE_HIT)
        return
    code, response_id = as_int(record.get("response_code")), text(found.get("chat_id"))
    status = outcome(code)
    yield Request(
        model=model,
        operation=operation(record.get("path")),
        time_us=micros(record.get("start_time"), "start_time"),
        request_id=text(record.get("request_id")) or response_id,
        merge_key=merge_key(response_id, model=model, status=status),
        user=text(found.get("consumer")),
        status=status,
        status_code=code,
        latency_ms=number(found.get("llm_service_duration")),
        streamed={"stream": True, "normal": False}.get(text(found.get("response_type")) or ""),
        usage=read_tokens(counts, convention=Convention.INCLUSIVE, model=model),
    )


FORMAT = Format(
    info=FormatInfo(
        name="higress",
        title="Higress access log (JSON)",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="inclusive",
        tells=("time", "id", "latency"),
        notes="Fields as in the documentation of its ai-statistics plugin; cached tokens are read where an operator "
        "logs them. Lines without a model are no calls.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "ai_log" in record and ("start_time" in record or "response_code" in record),
    entries=_entries,
    keys=frozenset({"ai_log"}),
    keys_decide=True,
)
