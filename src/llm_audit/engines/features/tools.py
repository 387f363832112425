"""Extract what the ledger keeps of the tools a request defines, and of the prefix that a cache would hold.

Names of tools are kept, and sizes of their definitions; neither descriptions nor arguments are.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from llm_audit.engines.features.hashing import hash64
from llm_audit.sources.entry import Message, Request

MAX_TOOLS_CHARS = 16_384
"""``tools_offered`` has whole pairs, in order of the names, as far as so many characters go."""

MAX_TOOL_NAME_CHARS = 128
_SEPARATORS = re.compile(r"[,=\s]")
_MAX_SETS = 1_000


class Tools(NamedTuple):
    """The tools that a request defines: the column's text, all characters of the definitions, and names as kept."""

    text: str | None
    chars: int | None
    names: dict[str, str]


class Prefix(NamedTuple):
    """The system prompt and tool definitions that begin a prompt."""

    hash: int | None
    chars: int | None


NO_TOOLS = Tools(None, None, {})
NO_PREFIX = Prefix(None, None)
_sets: dict[tuple[tuple[str, ...], tuple[int, ...]], Tools] = {}


def offered(request: Request) -> Tools:
    """Return the tools that a request defines; few sets of tools recur in a log."""
    key = (request.tools, request.tool_chars)
    found = _sets.get(key)
    if found is None:
        if len(_sets) >= _MAX_SETS:
            _sets.clear()
        found = _sets[key] = _tools(*key)
    return found


def called(request: Request, tools: Tools) -> str | None:
    """Return which of the tools the reply calls, or an earlier reply in the prompt; None where the reply is not known.

    Only names of defined tools are taken from the texts of calls, which hold arguments too.
    """
    if request.completion is None and not request.completion_calls:
        return None
    texts = [request.completion_calls, *(message.calls for message in request.messages or () if message.calls)]
    names = {line.partition("(")[0] for text in texts for line in text.split("\n")}
    return ",".join(sorted({tools.names[name] for name in names if name in tools.names}))


def stable_prefix(messages: list[Message], system_chain: int, tools: Tools) -> Prefix:
    """Return the prefix of a prompt.

    Args:
        messages: The prompt.
        system_chain: The hash of its system messages; 0 where it has none.
        tools: The tools it defines.
    """
    chars = tools.chars or 0
    for message in messages if system_chain else ():
        if message.role != "system":
            break
        chars += len(message.text)
    if not chars:
        return NO_PREFIX
    return Prefix(hash64(tools.text, system_chain) if tools.text else system_chain, chars)


def _tools(names: tuple[str, ...], sizes: tuple[int, ...]) -> Tools:
    chars: dict[str, int] = {}
    kept: dict[str, str] = {}
    for name, size in zip(names, sizes, strict=True):
        if size:
            kept[name] = _SEPARATORS.sub("_", name[:MAX_TOOL_NAME_CHARS])
            chars[kept[name]] = chars.get(kept[name], 0) + size
    if not chars:
        return NO_TOOLS
    text = ",".join(f"{name}={chars[name]}" for name in sorted(chars))
    if len(text) > MAX_TOOLS_CHARS:
        text = text[: text.rindex(",", 0, MAX_TOOLS_CHARS + 1)]
    return Tools(text, sum(chars.values()), kept)
