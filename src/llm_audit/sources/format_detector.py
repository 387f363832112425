"""From records to entries: which format a record is of, and what its adapter makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from llm_audit.sources.decode import Item
from llm_audit.sources.entry import BadRecordError, Entry, Reason, Record, Rejected
from llm_audit.sources.formats.interface import Context, Format, TypedRecord
from llm_audit.sources.formats.signatures import Signatures
from llm_audit.sources.layouts import Layouts
from llm_audit.sources.unwrap import is_plain, unwrap

# A record no adapter foresaw is one rejected entry, not the end of the run.
_UNFORESEEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_UNKNOWN = Rejected(Reason.UNKNOWN_FORMAT)


class FormatDetector:
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
        self._signatures = Signatures(formats)
        self.layouts = Layouts(self._signatures)
        self._forced = forced
        self.fallback = fallback
        self._path = path
        self._contexts: dict[str, Context] = {}

    def entries(self, line: int, item: Item | TypedRecord) -> list[tuple[str, Entry]]:
        """The name of the format (empty where none is known) and the entry, for each entry of an item."""
        if type(item) is Rejected:
            return [("", item)]
        if not isinstance(item, dict):
            return [self._read_laid(item)]
        found: list[tuple[str, Entry]] = []
        if is_plain(item):
            self._read(line, item, found, whole=True)
            return found
        for record in unwrap(item):
            self._read(line, record, found)
        return found

    def _read_laid(self, item: object) -> tuple[str, Entry]:
        known = self.layouts.current
        assert known is not None
        self.records[known.name] += 1
        try:
            return known.name, known.read(item)
        except BadRecordError as error:
            return known.name, Rejected(Reason(error.reason), error.field_name)
        except _UNFORESEEN:
            return known.name, Rejected(Reason.BAD_SHAPE)

    def _read(self, line: int, record: Record, entries: list[tuple[str, Entry]], *, whole: bool = False) -> None:
        found = self._forced or self._signatures.first(record) or self.fallback
        self.layouts.learn(found if whole and self._forced is None else None, record)
        if found is None:
            entries.append(("", _UNKNOWN))
            return
        name = found.info.name
        self.records[name] += 1
        context = self._contexts.get(name)
        if context is None:
            context = self._contexts[name] = Context(self._path)
        context.line = line
        try:
            for entry in found.entries(record, context):
                entries.append((name, entry))  # noqa: PERF401 - what came before a failure stays
        except BadRecordError as error:
            entries.append((name, Rejected(Reason(error.reason), error.field_name)))
        except _UNFORESEEN:
            entries.append((name, Rejected(Reason.BAD_SHAPE)))
