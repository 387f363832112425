"""From records to entries: finds the format of each record and reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from llm_audit.sources.decode import Item
from llm_audit.sources.entry import BadRecordError, Entry, Reason, Record, Rejected, Request, TypedRecord
from llm_audit.sources.fast_path import FastPath
from llm_audit.sources.formats.interface import Context, Format
from llm_audit.sources.formats.signatures import Signatures
from llm_audit.sources.packed_text import plain
from llm_audit.sources.records.tokens import count_thinking
from llm_audit.sources.surroundings import fill
from llm_audit.sources.unwrap import unwrap

_UNKNOWN = Rejected(Reason.UNKNOWN_FORMAT)
_NOTHING_INSIDE = Rejected(Reason.BAD_SHAPE)
_TOO_DEEP = Rejected(Reason.BAD_SHAPE, note="nested too deeply")


class FormatDetector:
    """Turns the items of one file into entries.

    A record is of the first format whose signature it has, whatever else is in the file, so that totals do not
    depend on how a log is split. Lines of a transcript and rows of a table may have no signature of their own: where
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
        self._signatures = Signatures(formats)
        self.fast_path = FastPath(self._signatures)
        self._forced = forced
        self.fallback = fallback
        self._context = Context(path)
        self._states: dict[str, dict[str, object]] = {}  # of each format

    def entries(self, line: int, item: Item | TypedRecord) -> list[tuple[str, Entry]]:
        """Return the name of the format (empty where none is known) and the entry, for each entry of an item."""
        if type(item) is not dict:  # which is soon asked, where isinstance takes longer to say no
            if isinstance(item, TypedRecord):
                return [self._read_typed(item)]
            if isinstance(item, Rejected):
                return [("", item)]
        found: list[tuple[str, Entry]] = []
        try:
            outer = plain(item)
            if self._rank(outer) is not None:
                self._read(line, outer, found, is_wrapped=outer is not item)
                return found
            inside = list(unwrap(outer, self._rank))
            holders = Counter(id(holder) for _, around in inside for holder in around)
            for record, around in inside:
                place = len(found)
                self._read(line, record, found, is_wrapped=True)
                if around:
                    own = [holder for holder in around if holders[id(holder)] == 1]
                    fill([entry for _, entry in found[place:]], around, own)
        except Exception as error:  # noqa: BLE001 - as in _read_typed
            found.append(("", internal_error("", error)))
        return found or [("", _UNKNOWN)]

    def _rank(self, record: Record) -> int | None:
        """Return how narrow the signature of a record is; None where it may be a wrapper."""
        context = self._context
        if self._forced is not None:
            return 1 if self._forced.matches(record, context) else None
        if self.fallback is not None and self.fallback.info.ordered:  # a wrapper in a transcript holds its rows only
            return 1 if self._signatures.first(record, context) is self.fallback else None
        return self._signatures.rank(record, context)

    def _read_typed(self, record: TypedRecord) -> tuple[str, Entry]:
        reader = self.fast_path.current
        assert reader is not None
        self.records[reader.name] += 1
        try:
            return reader.name, _complete(reader.read(record))
        except BadRecordError as error:
            return reader.name, Rejected(error.reason, error.field_name, note=error.note)
        except Exception as error:  # noqa: BLE001 - a bug costs the record that shows it and no other
            return reader.name, internal_error(reader.name, error)

    def _read(self, line: int, record: Record, entries: list[tuple[str, Entry]], *, is_wrapped: bool) -> None:
        context = self._context
        try:
            found = self._forced or self._signatures.first(record, context) or self.fallback
            self.fast_path.learn(None if is_wrapped or self._forced is not None else found, record, context)
        except Exception as error:  # noqa: BLE001 - as in _read_typed
            entries.append(("", internal_error("", error)))
            return
        if found is None:
            entries.append(("", _UNKNOWN))
            return
        name = found.info.name
        self.records[name] += 1
        context.line = line
        state = self._states.get(name)
        if state is None:
            state = self._states[name] = {}
        context.state = state
        before = len(entries)
        try:
            for entry in found.entries(record, context):
                entries.append((name, _complete(entry)))  # noqa: PERF401 - what came before a failure stays
        except BadRecordError as error:
            entries.append((name, Rejected(error.reason, error.field_name, note=error.note)))
        except Exception as error:  # noqa: BLE001 - as in _read_typed
            entries.append((name, internal_error(name, error)))
        if len(entries) == before:
            entries.append((name, _NOTHING_INSIDE))


def _complete(entry: Entry) -> Entry:
    if isinstance(entry, Request) and entry.usage.unexplained_tokens:
        count_thinking(entry)
    return entry


def internal_error(format_name: str, error: Exception) -> Rejected:
    """Return the rejection of a record on which the code for a format failed."""
    if isinstance(error, RecursionError):  # a property of the record: JSON is nested as deeply as its writer likes
        return _TOO_DEEP
    reader = f"the reader of the format {format_name}" if format_name else "the detection of the format"
    return Rejected(Reason.INTERNAL_ERROR, note=f"{reader} failed with {type(error).__name__}")
