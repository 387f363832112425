"""From records to entries: which format a record is of, and what its adapter makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from llm_audit.sources.decode import Item
from llm_audit.sources.entry import Entry, Reason, Rejected
from llm_audit.sources.formats.interface import BadRecordError, Context, Format, Record
from llm_audit.sources.unwrap import unwrap

# A record no adapter foresaw is one rejected entry, not the end of the run.
_UNFORESEEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_UNKNOWN = Rejected(Reason.UNKNOWN_FORMAT)


_PLAIN_FORMATS = ("mapping", "flat")
PLAIN_KEYS = frozenset(
    {
        "timestamp", "time", "model", "messages", "prompt", "completion", "stream", "usage", "metadata",
        "input_tokens", "output_tokens", "prompt_tokens", "completion_tokens", "cached_tokens", "total_tokens",
        "request_id", "trace_id", "session_id", "conversation_id", "latency_ms", "duration_ms", "status", "status_code",
        "team", "app", "user", "feature", "environment", "cost_usd",
    }
)  # fmt: skip
"""Keys that no other format's signature needs: a record with no key beside these is a home-made one or unknown."""


class Recogniser:
    """Turns the items of one file into entries.

    A record is of the first format whose signature it carries, whatever else is in the file, so that totals do not
    depend on how a log is split. Lines of a transcript and rows of a table may carry no signature of their own: where
    ``fallback`` is given, it takes what no format recognises. ``forced`` takes everything.

    ``records`` counts the records by the name of their format.
    """

    def __init__(
        self,
        formats: Sequence[Format],
        *,
        path: str,
        forced: Format | None = None,
        fallback: Format | None = None,
    ) -> None:
        self.records: Counter[str] = Counter()
        self._formats = formats
        self._plain_formats = [known for known in formats if known.info.name in _PLAIN_FORMATS]
        self._forced = forced
        self.fallback = fallback
        self._path = path
        self._contexts: dict[str, Context] = {}

    def entries(self, line: int, item: Item) -> Iterator[tuple[str, Entry]]:
        """Yield the name of the format (empty where none is known) and the entry, for each entry of an item."""
        if isinstance(item, Rejected):
            yield "", item
            return
        for record in unwrap(item):
            yield from self._record(line, record)

    def _record(self, line: int, record: Record) -> Iterator[tuple[str, Entry]]:
        # The most usual records are spared the signatures of all the others.
        candidates = self._plain_formats if record.keys() <= PLAIN_KEYS else self._formats
        found = self._forced or first_match(candidates, record) or self.fallback
        if found is None:
            yield "", _UNKNOWN
            return
        name = found.info.name
        self.records[name] += 1
        context = self._contexts.get(name)
        if context is None:
            context = self._contexts[name] = Context(self._path)
        context.line = line
        try:
            for entry in found.entries(record, context):
                yield name, entry
        except BadRecordError as error:
            yield name, Rejected(Reason(error.reason), error.field_name)
        except _UNFORESEEN:
            yield name, Rejected(Reason.BAD_SHAPE)


def first_match(formats: Sequence[Format], record: Record) -> Format | None:
    """The first format whose signature a record carries."""
    for candidate in formats:
        if candidate.matches(record):
            return candidate
    return None
