"""The app ``support-chat`` of the team ``customer-care``: conversations in OpenAI's shape, most on a flagship model."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from traffic import openai
from traffic.clock import DAY, HOUR, SECOND, START_MS, arrivals, within
from traffic.logfile import Call, Line, LogFile, rejected
from traffic.text import Slots, identifier, load, rng, tokens
from traffic.usage import FIVE_MINUTES, PromptCache, openai_usage

TEAM, APP = "customer-care", "support-chat"
DATA = load("support")
CONVERSATIONS = 640
SWITCH_MS = START_MS + 16 * DAY  # a part of the traffic goes over to another model
PLAIN_MS = START_MS + 29 * DAY  # the last day is not yet compressed
IMAGE_TOKENS = 85 + 4 * 170  # four tiles
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "lookup_order",
            "description": "Look up an order and its parcels.",
            "parameters": {
                "type": "object",
                "properties": {"order": {"type": "string"}, "postal_code": {"type": "string"}},
                "required": ["order"],
                "additionalProperties": False,
            },
        },
    }
]
_SHARED_TOKENS = tokens(DATA["system"]) + tokens(json.dumps(TOOLS))


def build() -> list[LogFile]:
    """Return four weekly files and the last day."""
    rand = rng("support-chat")
    caches: dict[str, PromptCache] = {}
    starts = arrivals(rand, CONVERSATIONS, weekend=0.55)
    turns = (line for start in starts for line in _Conversation(rand, start, caches).lines())
    lines = sorted(turns, key=lambda line: line.time_ms)
    resent = [line.again(HOUR) for line in lines if rand.random() < 0.02]
    lines = sorted([*lines, *resent, *_broken(rand, lines)], key=lambda line: line.time_ms)
    weeks = [LogFile(f"support-chat/openai-2026-09-week{week}.jsonl.gz") for week in range(1, 5)]
    for line in lines:
        if line.time_ms < PLAIN_MS:
            weeks[min((line.time_ms - START_MS) // (7 * DAY), 3)].lines.append(line)
    plain = LogFile("support-chat/openai-2026-09-30.jsonl", [line for line in lines if line.time_ms >= PLAIN_MS])
    _cut_tail(plain)
    return [*weeks, plain]


def _broken(rand: random.Random, lines: list[Line]) -> Iterator[Line]:
    for line in rand.sample(lines, 4):
        text = json.dumps(line.content, ensure_ascii=False)
        yield rejected(line.time_ms, text[: len(text) // 3], "not_json")
    moment = rand.choice(lines).time_ms
    yield rejected(moment, {"level": "info", "logger": "proxy", "message": "rotated the log"}, "unknown_format")


def _cut_tail(file: LogFile) -> None:
    last = file.lines[-1]
    text = json.dumps(last.content, ensure_ascii=False)
    file.lines.append(rejected(last.time_ms, text[: len(text) * 3 // 5], "not_json"))
    file.complete = False


class _Conversation:
    """One conversation: its state while it goes on."""

    def __init__(self, rand: random.Random, start: int, caches: dict[str, PromptCache]) -> None:
        self.rand = rand
        self.time = start
        self.caches = caches
        self.hard = rand.random() < 0.07
        language = None if self.hard or rand.random() < 0.72 else rand.choice(list(DATA["translations"]))
        self.openers = DATA["translations"][language] if language else DATA["hard" if self.hard else "open"]
        self.slots = Slots(rand, DATA["slots"])
        self.model = self._model()
        self.id = identifier(rand, "conv_", 12)
        self.user = f"cust_{rand.randrange(100_000):05d}"
        self.messages: list[dict[str, Any]] = [{"role": "system", "content": DATA["system"]}]

    def _model(self) -> str:
        if self.hard:
            return "gpt-5"
        pick = self.rand.random()
        if pick < 0.18:
            return "gpt-4o-mini"
        if pick < 0.34:
            return "gpt-4.1"
        return "gpt-4o" if self.time < SWITCH_MS or pick < 0.62 else "gpt-5"

    def lines(self) -> Iterator[Line]:
        """Yield the calls of this conversation."""
        turns = min(1 + int(self.rand.expovariate(0.75)), 6)
        for turn in range(turns):
            self.messages.append({"role": "user", "content": self._ask(turn)})
            if self.rand.random() < 0.025:
                yield self._failure(self.rand.choice([429, 429, 429, 500]))
                self.time += self.rand.randint(900, 4000)
            if "NW-" in str(self.messages[-1]["content"]) and self.rand.random() < 0.3:
                yield self._tool_call()
            yield self._answer()
            self.time += int(self.rand.lognormvariate(4.2, 0.8)) * SECOND

    def _ask(self, turn: int) -> Any:
        if turn == 0:
            text = self.slots.fill(self.rand.choice(self.openers))
            if self.rand.random() < 0.05:
                url = f"https://files.example.com/upload/{self.rand.getrandbits(48):012x}.jpg"
                return [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
            return text
        if self.rand.random() < 0.45:
            return self.rand.choice(DATA["short"])
        return self.slots.fill(self.rand.choice(DATA["next"]))

    def _tool_call(self) -> Line:
        call = {"order": self.slots["order"], "postal_code": self.slots["zip"]}
        function = {"name": "lookup_order", "arguments": json.dumps(call)}
        tool = {"id": identifier(self.rand, "call_"), "type": "function", "function": function}
        line = self._call({"content": None, "tool_calls": [tool]}, 24, 0)
        found = {
            "order": self.slots["order"],
            "status": self.rand.choice(["packed", "shipped", "delivered", "at customs"]),
        }
        self.messages.append({"role": "tool", "tool_call_id": tool["id"], "content": json.dumps(found)})
        return line

    def _answer(self) -> Line:
        parts = DATA["replies"]["parts"]
        median = 2.3 if self.hard else 1.1
        said = " ".join(self.rand.sample(parts, min(1 + int(self.rand.lognormvariate(median, 0.4) / 1.4), len(parts))))
        thinks = self.model == "gpt-5"
        reasoning = int(self.rand.lognormvariate(6.9 if self.hard else 5.3, 0.5)) // 64 * 64 if thinks else 0
        return self._call({"content": said}, tokens(said), reasoning)

    def _call(self, message: dict[str, Any], output: int, reasoning: int) -> Line:
        prompt = _SHARED_TOKENS + sum(4 + _tokens(item) for item in self.messages[1:])
        cache = self.caches.setdefault(self.model, PromptCache(2 * FIVE_MINUTES))
        usage = openai_usage(
            cache, ["system", self.id], prompt=prompt, output=output, reasoning=reasoning, at=self.time
        )
        cache.write("system", _SHARED_TOKENS, self.time)
        cache.write(self.id, prompt, self.time)
        at, latency = within(self.time), 350 + int(usage.output * self.rand.lognormvariate(2.6, 0.35))
        body: Any = openai.completion(self.rand, self.model, message, usage, self.time)
        request = self._request(stream="tool_calls" not in message and self.rand.random() < 0.12)
        if request["stream"]:
            body = openai.stream(body)
        record = openai.pair(request, 200, body, at, latency)
        self.messages.append({"role": "assistant", **message})
        self.time += latency
        call = Call(model=openai.served(self.model), usage=usage, team=TEAM, app=APP)
        return Line(time_ms=at, content=record, call=call)

    def _failure(self, status: int) -> Line:
        at = within(self.time)
        record = openai.pair(self._request(stream=False), status, openai.error(status), at, 40)
        return Line(time_ms=at, content=record, call=Call(model=self.model, ok=False, team=TEAM, app=APP))

    def _request(self, *, stream: bool) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self.model,
            "messages": list(self.messages),
            "tools": TOOLS,
            "stream": stream,
            "user": self.user,
            "metadata": {"team": TEAM, "app": APP, "conversation_id": self.id, "environment": "production"},
        }
        return {**request, "stream_options": {"include_usage": True}} if stream else request


def _tokens(message: dict[str, Any]) -> int:
    content = message["content"]
    if isinstance(content, list):
        return tokens(content[0]["text"]) + IMAGE_TOKENS
    return tokens(content or json.dumps(message["tool_calls"]))
