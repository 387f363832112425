"""The app ``ticket-classifier``: tickets through a LiteLLM gateway, and a batch that labels old ones again."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from traffic import litellm, openai
from traffic.clock import DAY, HOUR, SECOND, START_MS, arrivals, within
from traffic.litellm import Caller
from traffic.logfile import Call, Line, LogFile, not_a_call, rejected
from traffic.text import Slots, identifier, load, rng, tokens, uuid
from traffic.usage import Usage

APP = "ticket-classifier"
DATA = load("tickets")
TICKETS = 1_180
BATCH_TICKETS = 190
STALE_PRICES = range(19, 24)  # days on which the gateway stated costs from an outdated price list
STALE_FACTOR = 2.0
MODELS = {  # model group: provider, share of the traffic
    "gpt-4o": ("openai", 58),
    "claude-sonnet-4-5": ("anthropic", 10),
    "gpt-4o-mini": ("openai", 21),
    "gpt-4-turbo": ("openai", 5),
    "acme-internal-13b": ("hosted_vllm", 6),
}
CLASSIFIED = {"temperature": 0, "max_tokens": 120, "response_format": {"type": "json_object"}}


@dataclass(frozen=True, slots=True)
class _Task:
    """What is asked of the model, and what it says."""

    messages: list[dict[str, Any]]
    said: str
    parameters: dict[str, Any]
    repeats: bool  # a ticket that a monitor opens again and again


def build() -> list[LogFile]:
    """Return three files of ten days, the first compressed, and a batch's input and output."""
    rand = rng("ticket-classifier")
    starts = arrivals(rand, TICKETS, weekend=0.35)
    lines = sorted((line for at in starts for line in _ticket(rand, at)), key=lambda line: line.time_ms)
    resent = [line.again(2 * HOUR) for line in lines if line.call and rand.random() < 0.025]
    broken = [
        rejected(lines[40].time_ms, '{"id":"chatcmpl-', "not_json"),
        rejected(lines[700].time_ms, '"heartbeat"', "not_an_object"),
    ]
    lines = sorted([*lines, *resent, *broken], key=lambda line: line.time_ms)
    names = ("litellm-2026-09-01.ndjson.gz", "litellm-2026-09-11.ndjson.gz", "litellm-2026-09-21.ndjson.gz")
    files = [LogFile(f"ticket-classifier/{name}") for name in names]
    for line in lines:
        files[min((line.time_ms - START_MS) // (10 * DAY), 2)].lines.append(line)
    return [*files, *_batch(rand)]


def _ticket(rand: random.Random, at: int) -> Iterator[Line]:
    group = rand.choices(list(MODELS), [share for _, share in MODELS.values()])[0]
    team = "it-operations" if rand.random() < 0.2 else "helpdesk"
    caller = Caller(team=team, app=APP, user=f"agent-{rand.randrange(40):02d}", tags=[f"queue:{rand.choice('abc')}"])
    task, trace = _task(rand), uuid(rand)
    if rand.random() < 0.035:
        status = rand.choice([429, 429, 500, 408])
        yield _failed(rand, caller, group, task, status=status, at=at, trace=trace)
        at += rand.randint(2, 9) * SECOND
        group = rand.choice([group, "claude-sonnet-4-5"])  # the gateway tries again, or falls back
    line = _answered(rand, caller, group, task, at=at, trace=trace)
    yield line
    if task.repeats and rand.random() < 0.6:
        assert isinstance(line.content, dict)
        later = within(at + 90 * SECOND)
        yield not_a_call(later, litellm.cache_hit(rand, line.content, later), "gateway_cache_hit")


def _task(rand: random.Random) -> _Task:
    repeats = rand.random() < 0.07
    source = rng("monitor", rand.randrange(4)) if repeats else rand
    slots = Slots(source, DATA["slots"])
    slots["ticket"] = slots.fill(source.choice(DATA["tickets"]))
    slots["ticket2"] = Slots(rand, DATA["slots"]).fill(rand.choice(DATA["tickets"]))
    kind = 0.0 if repeats else rand.random()
    if kind < 0.66:
        labels = DATA["categories"]
        answer = {"category": source.choice(labels["labels"]), "priority": source.choice(labels["priorities"])}
        said = json.dumps(answer | {"language": "en", "sentiment": "neutral"})
        return _Task(_chat(DATA["system"], slots["ticket"]), said, CLASSIFIED, repeats)
    if kind < 0.78:
        said = rand.choice(["NO. ", "YES. "]) + "The tickets name different features and different errors."
        return _Task(_chat(DATA["dedupe_system"], slots.fill(DATA["dedupe"])), said, {"max_tokens": 60}, repeats)
    if kind < 0.95:
        said = "Thank you for the details. " + slots["ticket"].partition("\n\n")[2] + " We are looking into it."
        return _Task(_chat(DATA["reply_system"], slots.fill(rand.choice(DATA["replies"]))), said, {}, repeats)
    said = "\n".join(f"{step}. {slots['ticket2']}" for step in range(1, 9))
    return _Task(
        _chat(DATA["reply_system"], slots.fill(rand.choice(DATA["hard"]))), said, {"max_tokens": 2000}, repeats
    )


def _chat(system: str, ask: str) -> list[dict[str, Any]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": ask}]


def _usage(task: _Task) -> Usage:
    prompt = 3 + sum(4 + tokens(message["content"]) for message in task.messages)
    return Usage(input=prompt, output=tokens(task.said))


def _answered(rand: random.Random, caller: Caller, group: str, task: _Task, *, at: int, trace: str) -> Line:
    at, usage, model = within(at), _usage(task), litellm.served(group)
    cost = usage.cost_usd(model)
    if cost is not None and group == "gpt-4o" and (at - START_MS) // DAY in STALE_PRICES:
        cost = round(cost * STALE_FACTOR, 10)
    payload = litellm.success(
        rand,
        caller,
        group=group,
        provider=MODELS[group][0],
        messages=task.messages,
        said=task.said,
        parameters=task.parameters,
        usage=usage,
        cost_usd=cost,
        at=at,
        latency_ms=200 + int(usage.output * rand.lognormvariate(2.5, 0.4)),
        trace=trace,
    )
    if caller.team == "it-operations" and rand.random() < 0.4:
        payload = litellm.redact(payload)
    call = Call(model=model, usage=usage, team=caller.team, app=APP, stated_usd=cost)
    return Line(time_ms=at, content=payload, call=call)


def _failed(rand: random.Random, caller: Caller, group: str, task: _Task, *, status: int, at: int, trace: str) -> Line:
    payload = litellm.failure(
        rand,
        caller,
        group=group,
        provider=MODELS[group][0],
        messages=task.messages,
        status=status,
        at=within(at),
        latency_ms=30_000 if status == 408 else 150,
        trace=trace,
    )
    call = Call(model=group, ok=False, usage=Usage(input=0, output=0), team=caller.team, app=APP, stated_usd=0.0)
    return Line(time_ms=within(at), content=payload, call=call)


def _batch(rand: random.Random) -> list[LogFile]:
    """Return the input, which asks, and the output, which was billed at half the price."""
    asked = LogFile("ticket-classifier/batch-2026-09-19-input.jsonl")
    answered = LogFile("ticket-classifier/batch-2026-09-19-output.jsonl")
    begun = START_MS + 18 * DAY + 2 * HOUR
    for number in range(BATCH_TICKETS):
        task, name, at = _task(rand), f"ticket-{number:05d}", begun + number * 7 * SECOND
        body = {"model": "gpt-4.1", "messages": task.messages, **task.parameters}
        request = {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}
        asked.lines.append(not_a_call(begun, request))
        usage = _usage(task)
        completion = openai.completion(rand, "gpt-4.1", {"content": task.said}, usage, at)
        response = {"status_code": 200, "request_id": f"{rand.getrandbits(128):032x}", "body": completion}
        record = {"id": identifier(rand, "batch_req_", 32), "custom_id": name, "response": response, "error": None}
        call = Call(model=openai.served("gpt-4.1"), usage=usage)
        answered.lines.append(Line(time_ms=at, content=record, call=call))
    return [asked, answered]
