"""The app ``code-agent`` of the team ``platform``: tool loops in a custom log, one flat record a call."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from traffic import agent
from traffic.clock import SECOND, arrivals, iso, within
from traffic.logfile import Call, Line, LogFile, rejected
from traffic.text import identifier, rng, tokens
from traffic.usage import FIVE_MINUTES, PromptCache, Usage, openai_usage

TEAM, APP = "platform", "code-agent"
SESSIONS = 116
MODELS = {"gpt-5": 46, "gemini-2.5-pro": 26, "gpt-4.1": 20, "gpt-5-mini": 8}
THINKING = {"gpt-5", "gemini-2.5-pro", "gpt-5-mini"}


def build() -> list[LogFile]:
    """Return the month as one compressed file."""
    rand = rng("code-agent")
    starts = arrivals(rand, SESSIONS, weekend=0.15)
    lines = sorted((line for at in starts for line in _session(rand, at)), key=lambda line: line.time_ms)
    broken = [
        rejected(lines[15].time_ms, json.dumps(lines[15].content)[:400] + "\\", "not_json"),
        rejected(lines[300].time_ms, _changed(lines[300], model=None), "no_model"),
        rejected(lines[310].time_ms, _changed(lines[310], timestamp="0001-01-01T00:00:00Z"), "bad_time"),
    ]
    lines = sorted([*lines, *broken], key=lambda line: line.time_ms)
    return [LogFile("code-agent/agent-2026-09.jsonl.zst", lines)]


def _changed(line: Line, **fields: Any) -> dict[str, Any]:
    assert isinstance(line.content, dict)
    return line.content | fields


def _session(rand: random.Random, at: int) -> Iterator[Line]:
    session = agent.session(rand)
    model = rand.choices(list(MODELS), list(MODELS.values()))[0]
    trace, cache = f"{rand.getrandbits(128):032x}", PromptCache(2 * FIVE_MINUTES)
    if rand.random() < 0.5:
        titled = agent.DATA["titles"].format(ask=session.asks[0].text)
        yield _call(
            rand, "gpt-4.1", [{"role": "user", "content": titled}], session.title, at=at, trace=trace, cache=cache
        )
        at += SECOND
    messages: list[dict[str, Any]] = [{"role": "system", "content": session.system}]
    for ask in session.asks:
        messages.append({"role": "user", "content": ask.text})
        for step in ask.steps:
            said = step.said + step.arguments
            if rand.random() < 0.02:
                yield _failed(rand, model, messages, at, trace)
                at += 5 * SECOND
            yield _call(rand, model, messages, said, at=at, trace=trace, cache=cache)
            at += int(rand.lognormvariate(2.1, 0.5)) * SECOND
            messages += _reply(rand, step)
        at += int(rand.lognormvariate(4.6, 0.8)) * SECOND


def _reply(rand: random.Random, step: agent.Step) -> Iterator[dict[str, Any]]:
    if not step.tool:
        yield {"role": "assistant", "content": step.said}
        return
    call_id = identifier(rand, "call_")
    function = {"name": step.tool, "arguments": step.arguments}
    yield {
        "role": "assistant",
        "content": step.said,
        "tool_calls": [{"id": call_id, "type": "function", "function": function}],
    }
    yield {"role": "tool", "tool_call_id": call_id, "content": step.result}


def _call(
    rand: random.Random,
    model: str,
    messages: list[dict[str, Any]],
    said: str,
    *,
    at: int,
    trace: str,
    cache: PromptCache,
) -> Line:
    prompt = 3 + sum(4 + _count(message) for message in messages)
    reasoning = int(rand.lognormvariate(5.6, 0.8)) // 64 * 64 if model in THINKING else 0
    key = (model, len(messages) > 1)
    usage = openai_usage(cache, [key], prompt=prompt, output=tokens(said), reasoning=reasoning, at=at)
    cache.write(key, prompt, at)
    record = _record(rand, model, messages, at, trace)
    record |= {
        "usage": _written(usage),
        "latency_ms": 500 + int(usage.output * rand.lognormvariate(2.3, 0.4)),
        "status": 200,
    }
    return Line(time_ms=within(at), content=record, call=Call(model=model, usage=usage, team=TEAM, app=APP))


def _written(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def _failed(rand: random.Random, model: str, messages: list[dict[str, Any]], at: int, trace: str) -> Line:
    record = _record(rand, model, messages, at, trace)
    record |= {"usage": None, "latency_ms": 120, "status": rand.choice([429, 429, 503])}
    return Line(time_ms=within(at), content=record, call=Call(model=model, ok=False, team=TEAM, app=APP))


def _record(rand: random.Random, model: str, messages: list[dict[str, Any]], at: int, trace: str) -> dict[str, Any]:
    return {
        "timestamp": iso(within(at)),
        "request_id": f"req_{rand.getrandbits(48):012x}",
        "model": model,
        "messages": list(messages),
        "stream": False,
        "metadata": {"team": TEAM, "app": APP},
        "trace_id": trace,
    }


def _count(message: dict[str, Any]) -> int:
    calls = message.get("tool_calls", [])
    return tokens(message["content"]) + sum(12 + tokens(call["function"]["arguments"]) for call in calls)
