"""LibreChat's ``transactions`` collection: a document for the prompt of a call, and one for its completion.

A prompt is read as a call, and so is the completion after it, with the tokens of both and the prompt's key: they are
merged, and a prompt without a completion stays. Documents do not say whether input includes cached tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Rejected, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import cost_pico, merge_key
from llm_audit.sources.records.disjoint import as_count, disjoint_usage
from llm_audit.sources.records.fields import number, text
from llm_audit.sources.records.times import micros
from llm_audit.vocabulary import Status

_PER_DOLLAR = 1_000_000  # LibreChat's credits
_COUNTS = ("inputTokens", "readTokens", "writeTokens")
_OWN_TEXT = "LibreChat's messages count their own text only, not what was billed: export the transactions"


def _entries(record: Record, context: Context) -> Iterator[Entry]:
    if "tokenType" not in record:
        yield Rejected(Reason.BAD_SHAPE, "tokenCount", note=_OWN_TEXT)
        return
    kind = record.get("tokenType")
    if kind not in ("prompt", "completion"):
        yield NotACall(NotCallReason.METADATA)  # credits that a user was given
        return
    model = text(record.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    call = "|".join(str(record.get(name)) for name in ("user", "conversationId", "messageId", "model", "context"))
    prompts = context.state
    prompt: Record = record if kind == "prompt" else prompts.pop(call, {})
    if kind == "prompt":
        prompts[call] = record
    interrupted = record.get("context") == "incomplete"
    status = Status.CANCELLED if interrupted else Status.OK
    start = prompt or record
    document_id = text(start.get("_id"))
    fresh, read, written = (_spent(prompt, name) for name in _COUNTS)
    yield Request(
        model=model,
        time_us=micros(start.get("createdAt"), "createdAt"),
        request_id=document_id,
        merge_key=merge_key(document_id and f"librechat:{document_id}", model=model, status=status),
        conversation=text(record.get("conversationId")),
        app="librechat",
        user=text(record.get("user")),
        tags=tuple(f"context={use}" for use in [text(record.get("context"))] if use is not None),
        status=status,
        stated_cost_pico=_stated_pico(*((prompt, record) if kind == "completion" else (prompt,))),
        usage=disjoint_usage(
            _spent(prompt, "rawAmount") if fresh is None else fresh,
            _spent(record, "rawAmount") if kind == "completion" else None,
            cache_read=read,
            cache_write=written,
        ),
    )


def _spent(document: Record, name: str) -> int | None:
    """Return what a document takes from a balance, as a count."""
    value = number(document.get(name))
    return None if value is None else as_count(abs(value), name)


def _stated_pico(*documents: Record) -> int | None:
    values = [number(document.get("tokenValue")) for document in documents if document]
    known = [abs(value) for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return cost_pico(sum(map(Decimal, map(repr, known))) / _PER_DOLLAR)


def _matches(record: Record, _context: Context) -> bool:
    if "rawAmount" in record:
        return "tokenType" in record
    return "tokenCount" in record and "isCreatedByUser" in record and record["isCreatedByUser"] is False


FORMAT = Format(
    info=FormatInfo(
        name="librechat",
        title="LibreChat transactions (MongoDB export)",
        evidence=Evidence.FIXTURE,
        input_counts="not stated: both bounds",
        tells=("time", "cache", "cost"),
        notes="Fields as in LibreChat's source (schema/transaction.ts and models/Transaction.js, 2026). Prompts are "
        "in another collection and are not read; a reply's documents are matched by user, conversation, "
        "message, model and context, in the order of the file. Costs are LibreChat's own credits, a millionth "
        "of a dollar each. Messages hold no billed tokens and are rejected. No "
        "document holds a service tier: calls are priced as standard.",
        ordered=True,
    ),
    specificity=Specificity.PRODUCT,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"rawAmount", "isCreatedByUser"}),
)
