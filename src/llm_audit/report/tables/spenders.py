"""Top lists by user, tag, conversation and trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llm_audit.document.audit import Document
from llm_audit.report.table import Column, ColumnKind, Table, blank, count, money, share, table
from llm_audit.report.text import count as count_of
from llm_audit.report.text import plain, words

_TITLES = {"user": "users", "conversation": "conversations", "trace": "traces and agent sessions"}
_LISTED = 3
"""Apps or models named in a row; the rest are counted."""


def spenders(document: Document) -> Iterator[Table]:
    """Yield a table for users, each tag, conversations and traces: those that cost most, and the others together."""
    for number, (kind, rows) in enumerate(document.spenders.items()):
        ids = any(row.models for row in rows)
        yield table(
            f"top_{number}",
            f"Top {_TITLES.get(kind, plain(kind))}",
            (
                Column(words(kind.removeprefix("tag:")).capitalize()),
                *((Column("Apps"), Column("Models", ColumnKind.PROSE)) if ids else ()),
                count("Requests", sums=False),
                money("Cost", sums=False),
                share("of cost", sums=False),
            ),
            (
                (
                    f"{count_of(row.others)} others" if row.name is None else row.name,
                    *((_names(row.apps), _names(row.models)) if ids else ()),
                    row.requests,
                    row.cost or "",
                    blank(row.cost_share),
                )
                for row in rows
            ),
        )


def _names(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many more there are."""
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(plain(name, limit=40) for name in names[:_LISTED]) + more
