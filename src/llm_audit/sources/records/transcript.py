"""The prompt of a coding agent's call, rebuilt from its transcript in file order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath, PureWindowsPath

from llm_audit.sources.entry import Message
from llm_audit.sources.records.fields import text

WINDOW = 64
"""Messages kept. A longer prompt is its last messages, after the system prompt and the latest human message."""

TOOLS = ("(names not logged)",)
"""The tools offered: an agent always offers some, its transcript does not list them."""


class Transcript:
    """The messages of one conversation so far, as far as they matter for the next call."""

    __slots__ = ("_ask", "_since_ask", "_system", "_window")

    def __init__(self) -> None:
        self._system: Message | None = None
        self._ask: Message | None = None
        self._since_ask = 0
        self._window: deque[Message] = deque(maxlen=WINDOW)

    def add(self, messages: Iterable[Message]) -> None:
        """Append messages in their order."""
        for message in messages:
            if not (message.text or message.calls or message.images or message.audio or message.role == "tool"):
                continue  # nothing but reasoning
            if message.role == "system" and not self._window:
                self._system = message
                continue
            self._window.append(message)
            self._since_ask += 1
            if message.role == "user" and message.text:
                self._ask, self._since_ask = message, 0

    def compact(self) -> None:
        """Drop the messages that a compaction of the context dropped: all but the system prompt."""
        self._window.clear()
        self._ask, self._since_ask = None, 0

    def prompt(self) -> list[Message] | None:
        """Return the prompt of a call made now; None where the transcript holds no message."""
        head = [self._system] if self._system is not None else []
        if self._ask is not None and self._since_ask >= WINDOW:
            head.append(self._ask)
        return [*head, *self._window] or None


def folder(path: object) -> str | None:
    """Return the last part of a working directory: the name of the project an agent worked on."""
    found = text(path)
    return None if found is None else _folder(found)


@lru_cache(maxsize=256)  # the rows of a session repeat one directory
def _folder(path: str) -> str | None:
    kind = PureWindowsPath if "\\" in path else PurePosixPath
    return kind(path).name or None
