"""The part of a database that is read."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Selection(msgspec.Struct, kw_only=True, frozen=True):
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
