"""The files of an assembly, and the way of rows between its steps."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from llm_audit.ledger.shared.relay import FAN, Relay
from llm_audit.ledger.shared.steps import Step


class Layout(msgspec.Struct, kw_only=True, frozen=True):
    """Where an assembly's files are, and between how many steps its rows go.

    Attributes:
        uri: The address of the folder of the steps' files.
        groups: Groups of parts to assemble.
        buckets: Buckets of keys.
        partitions: Partitions to make.
        fan: See ``relay.FAN``.
    """

    uri: str
    groups: int
    buckets: int
    partitions: int
    fan: int = FAN

    @property
    def merges(self) -> Relay:
        """Merge keys, each from its group to the bucket of its hash."""
        return self._relay("merges", self.groups, self.buckets)

    @property
    def repeated(self) -> Relay:
        """Rows whose merge key others have too, each from the bucket of the key to its group."""
        return self._relay("repeated", self.buckets, self.groups)

    @property
    def candidates(self) -> Relay:
        """What decides between rows of one merge key, each from its group to the bucket of the key."""
        return self._relay("candidates", self.groups, self.buckets)

    @property
    def links(self) -> Relay:
        """Pairs of a key and an owner it is seen under, each from its group to the bucket of the key."""
        return self._relay("links", self.groups, self.buckets)

    @property
    def owners(self) -> Relay:
        """Owners, each from a group that has rows of it to the bucket of its hash."""
        return self._relay("owners", self.groups, self.buckets)

    @property
    def duplicates(self) -> Relay:
        """Decisions on rows that have duplicates, each from the bucket of its merge key to its group."""
        return self._relay("duplicates", self.buckets, self.groups)

    @property
    def labels(self) -> Relay:
        """Labels of owners, each from the owner's bucket to the groups that have rows of it."""
        return self._relay("labels", self.buckets, self.groups)

    @property
    def rows(self) -> Relay:
        """Rows that stay, each from its group to its partition."""
        return self._relay("rows", self.groups, self.partitions)

    def edges(self, round_: int) -> Relay:
        """Return the way of edges of a round, each to the bucket of the node that groups it next."""
        return self._relay(f"link{round_:03d}", self.buckets, self.buckets)

    def _relay(self, kind: str, sources: int, readers: int) -> Relay:
        return Relay(uri=self.uri, kind=kind, sources=sources, readers=readers, fan=self.fan)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutStep(Step):
    """A step of an assembly: one for each group, bucket or partition."""

    layout: Layout
    number: int

    @property
    def uri(self) -> str:
        """Return the address of the folder of its files."""
        return self.layout.uri
