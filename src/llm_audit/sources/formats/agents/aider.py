"""Aider's analytics log: an event a line; ``message_send`` is a message that was sent and its reply."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.calls import cost_pico
from llm_audit.sources.records.disjoint import disjoint_usage, read_count
from llm_audit.sources.records.fields import mapping, text
from llm_audit.sources.records.times import micros

_HIDDEN, _REDACTED = frozenset({"None"}), "/REDACTED"  # names that Aider does not know are not logged


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    if record.get("event") != "message_send":
        yield NotACall(NotCallReason.METADATA)
        return
    properties = mapping(record.get("properties"))
    model = text(properties.get("main_model"))
    if model is None or model in _HIDDEN or model.endswith(_REDACTED):
        raise BadRecordError(Reason.NO_MODEL, "properties.main_model")
    edit_format = text(properties.get("edit_format"))
    yield Request(
        model=model,
        time_us=micros(record.get("time"), "time"),
        app="aider",
        user=text(record.get("user_id")),
        tags=(f"edit_format={edit_format}",) if edit_format is not None else (),
        stated_cost_pico=cost_pico(properties.get("cost")),
        usage=disjoint_usage(
            read_count(properties, "prompt_tokens"),
            read_count(properties, "completion_tokens"),
            total=read_count(properties, "total_tokens"),
        ),
    )


FORMAT = Format(
    info=FormatInfo(
        name="aider",
        title="Aider analytics log",
        evidence=Evidence.FIXTURE,
        input_counts="not split",
        tells=("time", "cost"),
        notes="Checked on Aider's source (aider/analytics.py and base_coder.py, May 2026) and the sample log it "
        "publishes. Cached tokens are not told apart, so cached input is priced as fresh, and what Anthropic "
        "wrote to its cache is in the input twice. Counts of streamed replies are Aider's own estimates. "
        "Calls of the weak model have no event of their own; models that Aider does not know are logged "
        "without a name, and their calls are rejected.",
    ),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: (
        record.keys() >= {"event", "properties", "user_id", "time"} and "model" not in mapping(record["properties"])
    ),
    entries=_entries,
    keys=frozenset({"properties"}),
)
