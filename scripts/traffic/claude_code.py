"""Write transcripts of Claude Code sessions: several rows for a call, and rows that are not calls."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from traffic import agent, anthropic
from traffic.agent import Session, Step
from traffic.clock import SECOND, arrivals, iso, within
from traffic.logfile import Call, Fate, Line, LogFile, not_a_call
from traffic.text import identifier, rng, tokens, uuid
from traffic.usage import FIVE_MINUTES, ONE_HOUR, PromptCache, Usage

SESSIONS = 13
HARNESS_TOKENS = 11_500  # the tool's own instructions, the same in every session
REMINDER = (
    "<system-reminder>\nThe repository has an AGENTS.md: follow it. Do not mention this message.\n</system-reminder>\n"
)


def build() -> list[LogFile]:
    """Return a file a session, and one for the calls of each subagent."""
    rand = rng("claude-code")
    harness = PromptCache(ONE_HOUR)
    return [file for at in arrivals(rand, SESSIONS, weekend=0.1) for file in _Transcript(rand, at, harness).files()]


class _Transcript:
    """One session while it is written."""

    def __init__(self, rand: random.Random, at: int, harness: PromptCache) -> None:
        self.rand = rand
        self.time = at
        self.harness = harness
        self.session: Session = agent.session(rand)
        self.model = "claude-opus-4-1" if self.session.kind != "easy" else "claude-sonnet-4-5"
        self.id = uuid(rand)
        self.parent: str | None = None
        self.context = 0  # tokens cached so far, beside the harness
        self.fresh = 0  # tokens since the last call

    def files(self) -> Iterator[LogFile]:
        """Yield the transcript, and a subagent's where it called one."""
        folder = f"code-agent/claude-code/-home-dev-{self.session.repo}"
        snapshot = {"messageId": uuid(self.rand), "trackedFileBackups": {}, "timestamp": iso(self.time)}
        head = {"type": "file-history-snapshot", "messageId": snapshot["messageId"], "snapshot": snapshot}
        main = LogFile(f"{folder}/{self.id}.jsonl", [not_a_call(self.time, {**head, "isSnapshotUpdate": False})])
        for ask in self.session.asks:
            main.lines.append(self._user(REMINDER + ask.text, ask.text))
            for step in ask.steps:
                main.add(self._call(step))
            self.time += self.rand.randint(20, 200) * SECOND
        summary = {"type": "summary", "summary": self.session.title, "leafUuid": self.parent}
        main.lines.append(not_a_call(self.time, summary))
        yield main
        if self.session.kind == "hard":
            agent_id = f"a{self.rand.getrandbits(24):06x}"
            yield LogFile(f"{folder}/{self.id}/subagents/agent-{agent_id}.jsonl", list(self._subagent(agent_id)))

    def _row(self, **fields: Any) -> dict[str, Any]:
        row = {
            "parentUuid": self.parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": f"/home/dev/{self.session.repo}",
            "sessionId": self.id,
            "version": "2.1.38",
            "gitBranch": "main",
            **fields,
            "uuid": uuid(self.rand),
            "timestamp": iso(within(self.time)),
        }
        self.parent = row["uuid"]
        return row

    def _user(self, text: str, ask: str) -> Line:
        self.fresh += tokens(ask) + 40
        parts = [{"type": "text", "text": text.removesuffix(ask)}, {"type": "text", "text": ask}]
        message = {"role": "user", "content": parts if self.parent is None else ask}
        return not_a_call(self.time, self._row(type="user", message=message))

    def _call(self, step: Step) -> Iterator[Line]:
        call_id = identifier(self.rand, "toolu_01")
        parts: list[dict[str, Any]] = []
        if self.rand.random() < 0.4:
            signature = identifier(self.rand, "Es", 80)
            parts.append({"type": "thinking", "thinking": step.said[:60], "signature": signature})
        parts.append({"type": "text", "text": step.said})
        if step.tool:
            parts.append(
                {"type": "tool_use", "id": call_id, "name": _TOOLS[step.tool], "input": {"arguments": step.arguments}}
            )
        usage = self._usage(round(tokens(step.said + step.arguments) * anthropic.TOKENS_TO_O200K) + 60)
        yield from self._rows(parts, usage)
        if step.tool:
            self.fresh += round(tokens(step.result) * anthropic.TOKENS_TO_O200K)
            result = {"tool_use_id": call_id, "type": "tool_result", "content": step.result, "is_error": False}
            row = self._row(type="user", message={"role": "user", "content": [result]}, toolUseResult="ok")
            yield not_a_call(self.time, row)

    def _usage(self, output: int) -> Usage:
        warm = self.harness.read("harness", self.time)
        self.harness.write("harness", HARNESS_TOKENS, self.time)
        usage = Usage(
            input=3,
            output=output,
            cache_read=warm + self.context,
            cache_write_1h=self.fresh + (0 if warm else HARNESS_TOKENS),
        )
        self.context, self.fresh = self.context + self.fresh, output
        return usage

    def _rows(self, parts: list[dict[str, Any]], usage: Usage) -> Iterator[Line]:
        """Yield a row for each part; only the last one has the final output count."""
        message_id, request_id = identifier(self.rand, "msg_01"), identifier(self.rand, "req_011")
        call = Call(model=anthropic.served(self.model), usage=usage, app=self.session.repo)
        for part in parts:
            last = part is parts[-1]
            self.time += self.rand.randint(300, 2600)
            counted = usage.anthropic() | ({} if last else {"output_tokens": 2})
            message = {
                "model": call.model,
                "id": message_id,
                "type": "message",
                "role": "assistant",
                "content": [part],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": counted,
            }
            row = self._row(message=message, requestId=request_id, type="assistant")
            fate = Fate.REQUEST if last else Fate.DUPLICATE
            yield Line(time_ms=within(self.time), content=row, fate=fate, call=call if last else None)

    def _subagent(self, agent_id: str) -> Iterator[Line]:
        """Yield the calls of a small model that explores; its output counts are placeholders."""
        self.parent, model, context = None, "claude-haiku-4-5", 18_000
        cache = PromptCache(FIVE_MINUTES)
        for _ in range(self.rand.randint(3, 6)):
            self.time += self.rand.randint(2, 9) * SECOND
            read, grown = cache.read("all", self.time), self.rand.randint(300, 2500)
            usage = Usage(input=3, output=self.rand.randint(1, 3), cache_read=read, cache_write_5m=context - read)
            cache.write("all", context, self.time)
            context += grown
            call_id = identifier(self.rand, "toolu_01")
            part = {"type": "tool_use", "id": call_id, "name": "Grep", "input": {"pattern": "def .*rows"}}
            message = anthropic.message(self.rand, model, [part], usage)
            call = Call(model=anthropic.served(model), usage=usage, app=self.session.repo)
            row = self._row(
                message=message,
                requestId=identifier(self.rand, "req_011"),
                type="assistant",
                isSidechain=True,
                agentId=agent_id,
            )
            yield Line(time_ms=within(self.time), content=row, call=call)


_TOOLS = {"read_file": "Read", "search": "Grep", "run": "Bash", "edit_file": "Edit", "list_files": "Glob"}
