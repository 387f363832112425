"""Goose's sessions: rows of its database with the calls of its usage ledger, or a session as it is exported. Inclusive.

Goose makes the input of every provider one that includes cached tokens. Versions before the ledger kept nothing but the
sums of a session, which are read as the calls that its replies tell.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.agents._transcript import TOOLS, folder
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.billing.aggregates import AGGREGATED, shared_out
from llm_audit.sources.records.calls import cost_pico, provider, reject_on_error
from llm_audit.sources.records.disjoint import Convention
from llm_audit.sources.records.fields import Json, first, flag, listing, mapping, objects, text
from llm_audit.sources.records.times import micros
from llm_audit.sources.records.tokens import read_tokens

_SUMS = "accumulated_"
_COUNTS = ("input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens")
_CARRIED = "carried_forward"  # what a session had taken before the ledger began


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    rows = [*objects(record.get("usage_ledger"))]
    if rows:
        yield from (reject_on_error(lambda row: _request(record, row), row) for row in rows)
        return
    sums = {name: record.get(f"{_SUMS}{name}") for name in (*_COUNTS, "cost")}
    if not any(sums[name] for name in _COUNTS):
        yield NotACall(NotCallReason.METADATA)
        return
    request = _request(record, {**sums, "created_timestamp": first(record, "updated_at", "created_at")})
    messages = listing(record.get("messages")) or listing(record.get("conversation"))
    replies = sum(mapping(message).get("role") == "assistant" for message in messages)
    yield from shared_out(request, max(replies, 1))


def _request(session: Json, row: Json) -> Request:
    model = text(row.get("model")) or text(mapping(_config(session)).get("model_name"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    own, session_id = text(row.get("id")) or "sum", text(session.get("id"))
    tags = [f"agent={name}" for name in [text(session.get("session_type"))] if name not in {None, "user"}]
    tags += ["compaction"] if flag(row.get("is_compaction")) else []
    tags += [AGGREGATED] if row.get("cost_source") == _CARRIED else []
    return Request(
        model=model,
        provider=provider(session.get("provider_name")),
        time_us=micros(row.get("created_timestamp"), "created_timestamp"),
        request_id=text(row.get("id")),
        merge_key=session_id and f"goose:{session_id}#{own}|{model}",
        conversation=session_id,
        app=folder(session.get("working_dir")),
        tags=tuple(sorted(tags)),
        stated_cost_pico=cost_pico(row.get("cost")),
        tools=TOOLS,
        usage=read_tokens({name: row.get(name) for name in _COUNTS}, convention=Convention.INCLUSIVE, model=model),
    )


def _config(session: Json) -> object:
    return first(session, "model_config", "model_config_json")


FORMAT = Format(
    info=FormatInfo(
        name="goose",
        title="Goose sessions: its database, and exported sessions",
        evidence=Evidence.FIXTURE,
        input_counts="inclusive",
        tells=("time", "id", "cache", "cost"),
        notes="Checked on Goose's source (session_manager.rs, schema 17, 2026). Its database lists calls since schema "
        "15. An exported session, and one from before, has nothing but sums: they are shared out among its replies, "
        "and before schema 14 cached tokens are not told apart and are priced as fresh. Prompts are not read.",
    ),
    specificity=Specificity.TRANSCRIPT,
    matches=lambda record, _: f"{_SUMS}total_tokens" in record and "working_dir" in record,
    entries=_entries,
    keys=frozenset({f"{_SUMS}total_tokens"}),
    keys_decide=True,
)
