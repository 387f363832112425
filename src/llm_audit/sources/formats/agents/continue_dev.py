"""Development data of Continue: an event a line, in a file for each kind of event.

Every call is an event ``tokensGenerated``. What a user sees of it (a chat, a completion, an edit) is an event as well,
which tells the same call again.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import provider
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import text
from llm_audit.sources.records.times import micros


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if record.get("eventName") != "tokensGenerated":
        yield NotACall(NotCallReason.METADATA)
        return
    model = text(record.get("model"))
    if model is None:
        raise BadRecordError(Reason.NO_MODEL, "model")
    yield Request(
        model=model,
        provider=provider(record.get("provider")),
        time_us=micros(record.get("timestamp"), "timestamp"),
        user=text(record.get("userId")),
        usage=disjoint_usage(read_count(record, "promptTokens"), read_count(record, "generatedTokens")),
    )


FORMAT = Format(
    info=FormatInfo(
        name="continue-dev",
        title="Continue's development data",
        evidence=Evidence.FIXTURE,
        input_counts="not split",
        tells=("time",),
        notes="Fields as in Continue's schemas (0.2.0). Counts are Continue's own, cached tokens are not told apart "
        "and are priced as fresh. Other events tell the same calls again and are not counted.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: (
        "eventName" in record and "schema" in record and ("userAgent" in record or "selectedProfileId" in record)
    ),
    entries=_entries,
    keys=frozenset({"eventName"}),
    keys_decide=True,
)
