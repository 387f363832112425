"""The part of a database that is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What of a database is read.

    Attributes:
        since: Rows whose calls are all before this time are left out.
        until: Rows whose calls are all after this time are left out.
        query: The user's own query, instead of any table.
    """

    since: datetime | None = None
    until: datetime | None = None
    query: str | None = None


EVERYTHING = Selection()
