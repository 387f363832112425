"""The prompt of a coding agent's call, rebuilt from its transcript in file order."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath, PureWindowsPath

from llm_audit.sources.entry import Message
from llm_audit.sources.records.fields import text

WINDOW = 64
"""Messages kept. A longer prompt is its last messages, after the system prompt and the latest human message."""

_SLACK = 16  # more, so that not every message moves all others

TOOLS = ("(names not logged)",)
"""The tools offered: an agent always offers some, its transcript does not list them."""


class Transcript:
    """The messages of one conversation so far, as far as they matter for the next call."""

    __slots__ = ("_ask", "_since_ask", "_system", "_window")

    def __init__(self) -> None:
        self._system: Message | None = None
        self._ask: Message | None = None
        self._since_ask = 0
        self._window: list[Message] = []  # no longer than it need be by _SLACK

    def add(self, messages: Iterable[Message]) -> None:
        """Append messages in their order."""
        window = self._window
        for message in messages:
            text, role = message.text, message.role
            if not (text or message.calls or message.images or message.audio or role == "tool"):
                continue  # nothing but reasoning
            if role == "system" and not window:
                self._system = message
                continue
            window.append(message)
            self._since_ask += 1
            if text and role == "user":
                self._ask, self._since_ask = message, 0
        if len(window) > WINDOW + _SLACK:
            del window[:-WINDOW]

    def compact(self) -> None:
        """Drop the messages that a compaction of the context dropped: all but the system prompt."""
        self._window.clear()
        self._ask, self._since_ask = None, 0

    def prompt(self) -> list[Message] | None:
        """Return the prompt of a call made now; None where the transcript holds no message."""
        found = self._window[-WINDOW:]
        if self._since_ask >= WINDOW and self._ask is not None:
            found.insert(0, self._ask)
        if self._system is not None:
            found.insert(0, self._system)
        return found or None


def folder(path: object) -> str | None:
    """Return the last part of a working directory: the name of the project an agent worked on."""
    found = text(path)
    return None if found is None else _folder(found)


@lru_cache(maxsize=256)  # the rows of a session repeat one directory
def _folder(path: str) -> str | None:
    kind = PureWindowsPath if "\\" in path else PurePosixPath
    return kind(path).name or None
