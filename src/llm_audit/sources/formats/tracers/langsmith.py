"""LangSmith runs: rows of a bulk export, and the bodies its SDKs post (``post`` and ``patch`` halves of a run).

Runs of type ``llm`` and ``embedding`` are calls. The provider's own usage in the outputs is preferred. LangSmith's
counts include cached tokens by its specification; its Anthropic wrapper left them out for a while and summed the total
itself, so that a run of Anthropic's is settled by arithmetic or marked ambiguous.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import (
    NO_USAGE,
    BadRecordError,
    Entry,
    NotACall,
    NotCallReason,
    Reason,
    Record,
    Request,
    Usage,
)
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.bodies import model_of, place_of, read_request_body, read_response_body, tier_of
from llm_audit.sources.records.calls import cost_pico, provider, reject_on_error, set_usage, span_key
from llm_audit.sources.records.disjoint import Convention, disjoint_usage, read_count
from llm_audit.sources.records.fields import Json, at, attribution_of, first, labels, listing, mapping, objects, text
from llm_audit.sources.records.messages import is_redacted, read_messages, set_reply
from llm_audit.sources.records.times import between_ms, micros
from llm_audit.sources.records.usage import of_any
from llm_audit.vocabulary import Operation, Status

_KINDS = {"llm": Operation.CHAT, "embedding": Operation.EMBEDDING}
_WRAPPERS = frozenset({"chain", "prompt", "parser"})
_ABOUT_THE_CALL = frozenset({"session_id", "thread_id", "conversation_id", "revision_id"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if not _is_batch(record):
        yield _entry(record)
        return
    runs: dict[str, dict[str, object]] = {}
    for half in (*objects(record.get("post")), *objects(record.get("patch"))):
        key = text(half.get("dotted_order")) or text(half.get("id")) or str(len(runs))
        run = runs.setdefault(key, {})
        run.update((name, value) for name, value in half.items() if value or name not in run)
    for run in runs.values():
        yield reject_on_error(_entry, run)


def _entry(run: Json) -> Entry:
    kind = (text(run.get("run_type")) or "").lower()
    metadata = mapping(at(run, "extra", "metadata"))
    outputs, inputs = mapping(run.get("outputs")), mapping(run.get("inputs"))
    if kind not in _KINDS and not (kind == "" and metadata.get("ls_model_name")):
        return NotACall(NotCallReason.PARENT_SPAN if kind in _WRAPPERS else NotCallReason.NOT_A_MODEL_CALL)
    invoked = mapping(at(run, "extra", "invocation_params"))
    requested = text(metadata.get("ls_model_name")) or model_of(inputs) or text(first(invoked, "model", "model_name"))
    model = model_of(outputs) or text(at(outputs, "llm_output", "model_name")) or requested
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "extra.metadata.ls_model_name")
    status = Status.ERROR if run.get("error") or run.get("status") == "error" else Status.OK
    started, ended = micros(run.get("start_time"), "start_time"), micros(run.get("end_time"), "end_time")
    span, parent = _ids(run)
    trace = text(run.get("trace_id"))
    attribution = attribution_of(
        {k: v for k, v in metadata.items() if not k.startswith("ls_") and k not in _ABOUT_THE_CALL}
    )
    request = Request(
        model=model,
        model_requested=requested,
        provider=provider(metadata.get("ls_provider")),
        operation=_KINDS.get(kind, Operation.CHAT),
        time_us=started,
        service_tier=tier_of(outputs, mapping(outputs.get("llm_output")), _about(outputs), inputs, invoked),
        region=place_of(outputs, mapping(outputs.get("llm_output")), _about(outputs)),
        request_id=span,
        merge_key=span_key(trace, span, model=model, status=status),
        conversation=text(first(metadata, "session_id", "thread_id", "conversation_id")),
        trace=trace,
        span=span,
        parent_span=parent,
        wraps_calls=True,
        team=attribution.team,
        app=attribution.app or text(run.get("session_name")),
        user=attribution.user,
        environment=attribution.environment,
        tags=tuple(sorted({*attribution.tags, *labels(run.get("tags") or [])})),
        status=status,
        latency_ms=between_ms(started, ended),
        stated_cost_pico=cost_pico(run.get("total_cost")),
    )
    _texts(request, inputs, {**invoked, **inputs}, outputs)
    set_usage(request, _usage(run, outputs, request.provider))
    return request


def _texts(request: Request, inputs: Json, parameters: Json, outputs: Json) -> None:
    read_request_body(request, parameters)
    nested = listing(inputs.get("messages"))
    if nested and isinstance(nested[0], list):  # LangChain's own runs hold batches of messages
        request.messages = read_messages([_plain(message) for message in nested[0]])
        request.redacted = is_redacted(request.messages)
    generations = listing(outputs.get("generations"))
    if generations:
        batch = listing(generations[0]) or generations
        messages = [_plain(mapping(item).get("message") or item) for item in batch]
        set_reply(request, messages)
    else:
        read_response_body(request, outputs)


def _plain(message: object) -> Json:
    """Unwrap LangChain's serialised form of a message."""
    found = mapping(message)
    inner = mapping(found.get("kwargs")) or mapping(found.get("data"))
    if not inner:
        return found
    names = listing(found.get("id"))  # the path of its class
    name = (text(names[-1]) if names else None) or ""
    kind = name.removesuffix("Chunk").removesuffix("Message").lower()
    return {**inner, "role": text(inner.get("type")) or kind or text(found.get("type"))}


def _ids(run: Json) -> tuple[str | None, str | None]:
    """Read a run's id and its parent's; ``dotted_order`` lists the ids from the root of the trace down to the run."""
    path = [part.partition("Z")[2] for part in (text(run.get("dotted_order")) or "").split(".") if "Z" in part]
    span = text(run.get("id")) or (path[-1] if path else None)
    return span, text(run.get("parent_run_id")) or (path[-2] if len(path) > 1 else None)


def _message(outputs: Json) -> Json:
    """Return the first message that LangChain keeps of a reply."""
    batch = [mapping(item) for turn in listing(outputs.get("generations")) for item in (listing(turn) or [turn])]
    return _plain(batch[0].get("message")) if batch else {}


def _about(outputs: Json) -> Json:
    """Return what the provider said of a reply, as LangChain keeps it."""
    message = _message(outputs) or mapping(at(outputs, "message", "kwargs"))
    return mapping(message.get("response_metadata"))


def _usage(run: Json, outputs: Json, vendor: str | None) -> Usage:
    """Read the provider's own usage, else LangChain's copy, else LangSmith's counts of the run."""
    told, message = mapping(outputs.get("llm_output")), _message(outputs)
    about = mapping(message.get("response_metadata"))
    own = (
        outputs.get("usage"),
        told.get("usage"),
        told.get("token_usage"),
        about.get("usage"),
        about.get("token_usage"),
    )
    for usage in own:
        if (found := of_any(mapping(usage))) is not NO_USAGE:
            return found
    copied = mapping(message.get("usage_metadata"))
    if copied:  # inclusive by LangChain's contract
        return _counts(copied, convention=Convention.INCLUSIVE)
    inner = mapping(at(outputs, "message", "kwargs")) or outputs
    counts = mapping(inner.get("usage_metadata")) or mapping(at(run, "extra", "metadata", "usage_metadata")) or run
    return _counts(counts, convention=None if vendor == "anthropic" else Convention.INCLUSIVE)


def _counts(counts: Json, *, convention: Convention | None) -> Usage:
    into = mapping(first(counts, "input_token_details", "prompt_token_details", "prompt_tokens_details"))
    outof = mapping(first(counts, "output_token_details", "completion_token_details", "completion_tokens_details"))
    return disjoint_usage(
        read_count(counts, "input_tokens", "prompt_tokens"),
        read_count(counts, "output_tokens", "completion_tokens"),
        cache_read=read_count(into, "cache_read", "cached_tokens"),
        cache_write=read_count(into, "ephemeral_5m_input_tokens", "cache_creation"),
        cache_write_1h=read_count(into, "ephemeral_1h_input_tokens"),
        reasoning=read_count(outof, "reasoning", "reasoning_tokens"),
        audio_input=read_count(into, "audio", "audio_tokens"),
        audio_output=read_count(outof, "audio", "audio_tokens"),
        total=read_count(counts, "total_tokens"),
        wrapper_total=True,
        convention=convention,
    )


def _is_batch(record: Record) -> bool:
    if "post" not in record and "patch" not in record:
        return False
    halves = [half for name in ("post", "patch") for half in objects(record.get(name))]
    return any("dotted_order" in half for half in halves)


def _matches(record: Record, _context: Context) -> bool:
    exported = {"inputs", "outputs"} <= record.keys() and "model" not in record  # which custom logs name
    run = "run_type" in record and ("dotted_order" in record or exported)
    return run or _is_batch(record)


FORMAT = Format(
    info=FormatInfo(
        name="langsmith",
        title="LangSmith runs: bulk export or SDK bodies",
        evidence=Evidence.REAL,
        input_counts="inclusive; open for Anthropic",
        tells=("time", "id", "prompts", "cache", "cost", "latency", "trace", "service_tier"),
        notes="SDK bodies were checked on real records, bulk exports on documentation. Chains, tools and "
        "retrievers are not provider calls.",
    ),
    specificity=Specificity.PRODUCT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"run_type", "post", "patch"}),
)
