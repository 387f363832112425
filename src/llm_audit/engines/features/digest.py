"""Find the ask that ends a prompt, where it is plain, and hash and count the prompt's messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from xxhash import xxh3_64_intdigest

from llm_audit.classify.text.select import ASK_PLAN, plain_ask
from llm_audit.classify.text.words import PlainAsk
from llm_audit.engines.features.hashing import hash64
from llm_audit.engines.features.line_hash import longest_line_hash
from llm_audit.sources.entry import Message

Digest = tuple[PlainAsk, int | None, int, int | None, int, int, int, int, int, int, bool]
"""Of a prompt: its ask as ``plain_ask`` returns it; the hash of the longest line of the user's messages that end it;
the hash of all messages, of those before the last reply, of those before the first, and of the system prompt; then the
numbers of turns, characters, images and sounds, and whether it ends with a tool's result."""

_ROLE_SEEDS = {role: hash64(role) for role in ("system", "user", "assistant", "tool")}


def digest_in_python(messages: list[Message]) -> Digest:
    """Return the digest of a prompt of at least one message."""
    return (plain_ask(messages), _quoted_hash(messages), *fold(messages))


def fold(messages: list[Message]) -> tuple[int, int | None, int, int, int, int, int, int, bool]:
    """Return the hashes and counts of the messages of a prompt."""
    chain = opening = system_chain = images = sounds = chars = turns = 0
    parent = None
    previous = ""
    for message in messages:
        role = message.role
        if role == "assistant":
            if previous != "assistant":
                parent = chain
                opening = opening or chain
        elif role != "system":
            turns += 1
        text = message.text
        chars += len(text)
        chain = xxh3_64_intdigest(text.encode(), chain ^ (_ROLE_SEEDS.get(role) or hash64(role)))
        if message.calls or message.images or message.audio:
            chain = hash64(f"{message.calls}\0{message.images}\0{message.audio}", chain)
            chars += len(message.calls)
            images += message.images
            sounds += message.audio
        if role == "system" and not turns:
            system_chain = chain
        previous = role
    return chain, parent, opening or chain, system_chain, turns, chars, images, sounds, previous == "tool"


def _quoted_hash(messages: list[Message]) -> int | None:
    first = len(messages)
    while first and messages[first - 1].role == "user":
        first -= 1
    new = [message.text for message in messages[first:]]
    return longest_line_hash(new[0] if len(new) == 1 else "\n".join(new))


digest: Callable[[list[Message]], Digest] = digest_in_python
try:
    from llm_audit.engines import _texts
except ImportError:  # built only where a C compiler is available; the Python form returns the same
    pass
else:
    if ASK_PLAN is not None:
        digest = partial(_texts.digest, _texts.prepare(ASK_PLAN, Message))
