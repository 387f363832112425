"""Objects of OpenAI's API, and of those who copy it, that name a model and are no calls: jobs, assistants, files.

A batch and a run of an evaluation sum up calls: those are lines of a batch's output file, and are not counted twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, NotACall, NotCallReason, Reason, Record, Rejected
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.records.column_names import columns_of
from llm_audit.sources.records.fields import listing, mapping, number

_OTHERS = frozenset(
    {
        *("assistant", "file", "model", "realtime.session", "thread", "vector_store"),
        *("fine_tuning.job", "fine_tuning.job.checkpoint", "fine_tuning.job.event"),
    }
)
_SUMS = {
    "batch": "a batch sums up the calls in its output file: audit that file",
    "eval.run": "a run of an evaluation sums up its calls, which it does not hold",
}
_OF_SUMS = frozenset({"endpoint", "input_file_id", "request_counts", "eval_id", "data_source", "per_model_usage"})


def _entries(record: Record, _context: Context) -> Iterator[Entry]:
    note = _SUMS.get(str(record.get("object")))
    counted = number(mapping(record.get("usage")).get("total_tokens")) or listing(record.get("per_model_usage"))
    if note is not None and counted:
        yield Rejected(Reason.BAD_SHAPE, "usage", note=note)
        return
    yield NotACall(NotCallReason.NOT_A_MODEL_CALL)


def _matches(record: Record, _context: Context) -> bool:
    kind = record.get("object")
    if not isinstance(kind, str):
        return False
    if kind in _SUMS:  # a custom log may call a call of a batch so
        return not _OF_SUMS.isdisjoint(record)
    return kind in _OTHERS and not columns_of(record).counts_tokens


FORMAT = Format(
    info=FormatInfo(
        name="openai-objects",
        title="OpenAI: batches, fine-tuning jobs, assistants and other objects",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="none",
        notes="They name a model and are no calls. Batches that state their usage are rejected: the calls are in the "
        "output file.",
    ),
    specificity=Specificity.BATCH,
    matches=_matches,
    entries=_entries,
    keys=frozenset({"object"}),
)
