"""The files of an assembly, and the way of rows between its steps."""

from __future__ import annotations

from dataclasses import dataclass

from llm_audit.ledger.shared.relay import FAN, Relay
from llm_audit.ledger.shared.steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where an assembly's files are, and between how many steps its rows go.

    Attributes:
        uri: The address of the folder of the steps' files.
        parts: Parts to assemble.
        partitions: Partitions to make, and buckets of keys.
        fan: See ``relay.FAN``.
    """

    uri: str
    parts: int
    partitions: int
    fan: int = FAN

    @property
    def merges(self) -> Relay:
        """Rows that may be duplicates, each from its part to the bucket of its merge key."""
        return self._relay("merges", self.parts, self.partitions)

    @property
    def links(self) -> Relay:
        """Pairs of a key and an owner it is seen under, each from its part to the bucket of the key."""
        return self._relay("links", self.parts, self.partitions)

    @property
    def owners(self) -> Relay:
        """Owners, each from a part that has rows of it to the bucket of its hash."""
        return self._relay("owners", self.parts, self.partitions)

    @property
    def duplicates(self) -> Relay:
        """Decisions on rows that have duplicates, each from the bucket of its merge key to its part."""
        return self._relay("duplicates", self.partitions, self.parts)

    @property
    def labels(self) -> Relay:
        """Labels of owners, each from the owner's bucket to the parts that have rows of it."""
        return self._relay("labels", self.partitions, self.parts)

    @property
    def rows(self) -> Relay:
        """Rows that stay, each from its part to its partition."""
        return self._relay("rows", self.parts, self.partitions)

    def edges(self, round_: int) -> Relay:
        """Return the way of edges of a round, each to the bucket of the node that groups it next."""
        return self._relay(f"link{round_:03d}", self.partitions, self.partitions)

    def _relay(self, kind: str, sources: int, readers: int) -> Relay:
        return Relay(uri=self.uri, kind=kind, sources=sources, readers=readers, fan=self.fan)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutStep(Step):
    """A step of an assembly: one for each part, bucket or partition."""

    layout: Layout
    number: int

    @property
    def uri(self) -> str:
        """Return the address of the folder of its files."""
        return self.layout.uri
