"""The app ``doc-extraction`` of the team ``finance-ops``: documents into tool calls, in Anthropic's shape."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from traffic import anthropic, documents
from traffic.clock import SECOND, arrivals, within
from traffic.documents import DATA, Document
from traffic.logfile import Call, Fate, Line, LogFile, rejected
from traffic.text import Slots, identifier, rng, tokens
from traffic.usage import FIVE_MINUTES, ONE_HOUR, PromptCache, Usage

TEAM, APP = "finance-ops", "doc-extraction"
LABELS = {"team": TEAM, "app": APP, "environment": "production"}
JOBS = 92
BATCH_DOCUMENTS = 70
MODELS = {  # by kind of document: mostly more model than the work asks for
    "invoice": ("claude-sonnet-4-5", "1h"),
    "order": ("claude-sonnet-4-5", "5m"),
    "contract": ("claude-opus-4-1", "5m"),
    "receipt": ("claude-haiku-4-5", "5m"),
}
SHORTEST_CACHED = {"claude-opus-4-1": 1024, "claude-sonnet-4-5": 1024, "claude-haiku-4-5": 4096}  # tokens, Anthropic


def build() -> list[LogFile]:
    """Return two halves of the month and the results of a batch."""
    rand = rng("doc-extraction")
    caches = {"5m": PromptCache(FIVE_MINUTES), "1h": PromptCache(ONE_HOUR)}
    jobs = (line for start in arrivals(rand, JOBS, weekend=0.1) for line in _job(rand, start, caches))
    lines = sorted(jobs, key=lambda line: line.time_ms)
    resent = [line.again() for line in rand.sample(lines, 12)]
    broken = [rejected(lines[90].time_ms, json.dumps(lines[90].content)[:700], "not_json"), _absurd(lines[200])]
    lines = sorted([*lines, *resent, *broken], key=lambda line: line.time_ms)
    half = len(lines) // 2
    return [
        LogFile("doc-extraction/anthropic-2026-09a.jsonl.zst", lines[:half]),
        LogFile("doc-extraction/anthropic-2026-09b.jsonl.zst", lines[half:]),
        LogFile("doc-extraction/message-batch-results.jsonl", list(_batch(rand))),
    ]


def _job(rand: random.Random, at: int, caches: dict[str, PromptCache]) -> Iterator[Line]:
    kind = rand.choices(list(MODELS), [46, 16, 16, 22])[0]
    for _ in range(1 + int(rand.lognormvariate(1.9, 0.6))):
        document = documents.make(rand, kind)
        if rand.random() < 0.02:
            yield _failure(rand, document, at)
            at += 3 * SECOND
        yield _extract(rand, document, at, caches)
        at += int(rand.lognormvariate(3.2, 0.7)) * SECOND
        if kind == "contract" and rand.random() < 0.3:
            yield _question(rand, document, at)
            at += 40 * SECOND


def _system(document: Document) -> str:
    return Slots(rng(), {}, tool=document.tool).fill(DATA["system"])


def _request(rand: random.Random, document: Document) -> dict[str, Any]:
    model, ttl = MODELS[document.kind]
    ask = rand.choice(DATA["summaries"][1:]) + f"\n\n<document>\n{document.text}\n</document>"
    return {
        "model": model,
        "max_tokens": 4096,
        "system": [{"type": "text", "text": _system(document), "cache_control": {"type": "ephemeral", "ttl": ttl}}],
        "tools": [documents.tool_schema(document.kind)],
        "tool_choice": {"type": "tool", "name": document.tool},
        "messages": [{"role": "user", "content": [{"type": "text", "text": ask}]}],
        "stream": rand.random() < 0.1,
    }


def _count(text: str) -> int:
    return round(tokens(text) * anthropic.TOKENS_TO_O200K)


def _extract(rand: random.Random, document: Document, at: int, caches: dict[str, PromptCache]) -> Line:
    request = _request(rand, document)
    model, ttl = MODELS[document.kind]
    prefix = _count(_system(document)) + _count(json.dumps(request["tools"]))
    fresh = 8 + _count(request["messages"][0]["content"][0]["text"])
    output = 30 + _count(json.dumps(document.found))
    read = caches[ttl].read(document.kind, at)
    if prefix < SHORTEST_CACHED[model]:
        usage = Usage(input=prefix + fresh, output=output)
    else:
        caches[ttl].write(document.kind, prefix, at)
        written = {f"cache_write_{ttl}": 0 if read else prefix}
        usage = Usage(input=fresh, output=output, cache_read=read, **written)
    content = [{"type": "tool_use", "id": identifier(rand, "toolu_01"), "name": document.tool, "input": document.found}]
    return _line(rand, request, content, usage, at)


def _question(rand: random.Random, document: Document, at: int) -> Line:
    asked = Slots(rand, DATA["slots"]).fill(rand.choice(DATA["questions"]))
    text = f"<contract>\n{document.text}\n</contract>\n\n{asked}"
    request: dict[str, Any] = {
        "model": "claude-opus-4-1",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": text}],
        "stream": False,
    }
    clauses = document.text.split("\n\n")
    said = "Going clause by clause.\n\n" + "\n\n".join(f"- {clause}" for clause in rand.sample(clauses, 4))
    usage = Usage(input=8 + _count(text), output=_count(said))
    return _line(rand, request, [{"type": "text", "text": said}], usage, at)


def _line(rand: random.Random, request: dict[str, Any], content: list[dict[str, Any]], usage: Usage, at: int) -> Line:
    at, latency = within(at), 600 + int(usage.output * rand.lognormvariate(2.7, 0.3))
    body: Any = anthropic.message(rand, request["model"], content, usage)
    sent = anthropic.stream(body) if request["stream"] else body
    record = anthropic.pair(request, 200, sent, at=at, latency_ms=latency, metadata=LABELS)
    call = Call(model=anthropic.served(request["model"]), usage=usage, team=TEAM, app=APP)
    return Line(time_ms=at, content=record, call=call)


def _failure(rand: random.Random, document: Document, at: int) -> Line:
    request, status = {**_request(rand, document), "stream": False}, rand.choice([429, 529, 529, 500])
    body = anthropic.error(status)
    record = anthropic.pair(request, status, body, at=within(at), latency_ms=90, metadata=LABELS)
    return Line(time_ms=within(at), content=record, call=Call(model=request["model"], ok=False, team=TEAM, app=APP))


def _absurd(line: Line) -> Line:
    record = json.loads(json.dumps(line.content))
    record["response"] = {
        "status": 200,
        "headers": record["response"]["headers"],
        "body": anthropic.message(rng("absurd"), "claude-haiku-4-5", [], Usage(input=-412, output=60)),
    }
    return rejected(line.time_ms, record, "bad_tokens")


def _batch(rand: random.Random) -> Iterator[Line]:
    """Yield results as a batch returns them: no prompt, no time, half the price."""
    for number in range(BATCH_DOCUMENTS):
        document = documents.make(rand, rand.choice(["invoice", "invoice", "order"]))
        usage = Usage(
            input=_count(_system(document)) + _count(document.text) + 420,
            output=30 + _count(json.dumps(document.found)),
        )
        part = {"type": "tool_use", "id": identifier(rand, "toolu_01"), "name": document.tool, "input": document.found}
        body = anthropic.message(rand, "claude-sonnet-4-5", [part], usage, tier="batch")
        record = {"custom_id": f"archive-{number:04d}", "result": {"type": "succeeded", "message": body}}
        call = Call(model=anthropic.served("claude-sonnet-4-5"), usage=usage)
        yield Line(time_ms=0, content=record, call=call)
    for number in range(BATCH_DOCUMENTS, BATCH_DOCUMENTS + 3):
        record = {"custom_id": f"archive-{number:04d}", "result": {"type": "expired"}}
        yield Line(time_ms=0, content=record, fate=Fate.NOT_A_CALL, reason="not_sent")
