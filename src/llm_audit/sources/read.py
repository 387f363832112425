"""Reading a shard: its lines, values or rows, as items that the recogniser turns into entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llm_audit.sources.container import Container, Located, decoded, items, sniff
from llm_audit.sources.detect import detect_source
from llm_audit.sources.formats.interface import Format
from llm_audit.sources.lines import Lines, range_blocks
from llm_audit.sources.recognise import Recogniser
from llm_audit.sources.split import Shard

_TABLES = (Container.CSV, Container.PARQUET, Container.SQLITE)


class ShardReader:
    """Reads one shard. ``lines`` is, once read through, how many lines of a cut file it holds."""

    def __init__(self, shard: Shard, *, formats: Sequence[Format], forced: Format | None = None) -> None:
        self.lines = 0
        self._shard = shard
        self._formats = formats
        self._forced = forced
        self.recogniser = Recogniser(formats, path=shard.source.name, forced=forced)

    def __iter__(self) -> Iterator[Located]:
        if self._shard.end is not None:
            lines = Lines(range_blocks(self._shard.source, self._shard.start, self._shard.end))
            yield from decoded(lines)
            self.lines = lines.count
            return
        container = sniff(self._shard.source)
        if self._forced is None:
            found = detect_source(self._shard.source, container, formats=self._formats).format
            if found is not None and (found.info.ordered or container in _TABLES):
                self.recogniser.fallback = found
        yield from items(self._shard.source, container)
