import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

import llm_audit
from llm_audit.sources.entry import Request
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.registry import all_formats

PATH = "opencode/messages.jsonl"


def test_counts_are_disjoint_and_reasoning_comes_on_top() -> None:
    request = requests(PATH)[0]
    assert tokens(request) == (638, 42944, 100, None, 350)  # 300 + 50 of reasoning
    assert (request.usage.reasoning_tokens, request.stated_cost_pico) == (50, 20_400_000_000)
    assert (request.model, request.provider, request.app) == ("claude-sonnet-4-5", "anthropic", "shop")
    assert (request.time_us, request.latency_ms, request.conversation) == (1_793_613_600_000_000, 5000.0, "ses_1")


def test_a_total_without_the_reasoning_makes_it_a_part_of_the_output() -> None:
    request = requests(PATH)[1]
    assert tokens(request) == (600, 0, 0, None, 500)  # 1100 = 600 + 500
    assert (request.usage.reasoning_tokens, request.status) == (200, "error")


def test_questions_and_parts_are_no_calls() -> None:
    assert not_calls(PATH) == ["metadata", "metadata"]
    assert rejections(PATH) == [("no_model", "modelID")]


def test_an_exported_session_holds_the_same_call() -> None:
    assert requests("opencode/export.json")[:1] == requests(PATH)[:1]


def test_each_step_of_a_message_is_a_call() -> None:
    first, last = requests("opencode/export.json")[1:]
    assert (tokens(first), first.stated_cost_pico) == ((700, 0, 0, None, 20), 20_000_000_000)
    assert (tokens(last), last.stated_cost_pico) == ((500, 500, 0, None, 15), 10_000_000_000)  # 1015 counts reasoning
    assert first.merge_key != last.merge_key


def test_a_call_of_an_exported_session_has_the_messages_before_it(tmp_path: Path) -> None:
    counts = {"tokens": {"total": 30, "input": 20, "output": 10, "reasoning": 0}}
    own = {"role": "assistant", "modelID": "gpt-5", "providerID": "openai", **counts}

    def question(*parts: dict[str, object]) -> dict[str, object]:
        return {"info": {"role": "user", "summary": {"title": "t"}}, "parts": parts}

    def answer(name: str, *parts: dict[str, object], **more: object) -> dict[str, object]:
        return {"info": {**own, "id": name, **more}, "parts": parts}

    def wrote(words: str, **more: object) -> dict[str, object]:
        return {"type": "text", "text": words, **more}

    done = {"type": "step-finish", "cost": 0.01, **counts}
    state = {"status": "error", "input": {"path": "a.py"}, "error": "no such file"}
    tool = {"type": "tool", "callID": "c1", "tool": "read", "state": state}
    messages = [
        question(wrote("Mend it."), wrote("<reminder>", synthetic=True), {"type": "file", "mime": "image/png"}),
        answer("m1", {"type": "step-start"}, wrote("I look."), tool, done, wrote("It is gone."), done),
        question({"type": "compaction"}),
        answer("m2", wrote("So far: gone."), done, summary=True),
        question(wrote("Then make it.")),
        answer("m3", wrote("Made."), done),
    ]
    session = tmp_path / "session.json"
    session.write_text(json.dumps({"info": {"id": "s"}, "messages": messages}))
    looked, ended, summed, made = requests(session)
    assert [(m.role, m.text, m.images) for m in looked.messages or ()] == [("user", "Mend it.", 1)]
    assert (looked.completion, looked.completion_calls) == ("I look.", 'read({"path":"a.py"})')
    assert ended.messages is not None
    assert [(m.role, m.text, m.call_id, m.failed) for m in ended.messages[1:]] == [
        ("assistant", "I look.", "c1", False),
        ("tool", "no such file", "c1", True),
    ]
    assert (ended.completion, summed.messages) == ("It is gone.", None)
    assert [(m.role, m.text) for m in made.messages or ()] == [
        ("assistant", "So far: gone."),
        ("user", "Then make it."),
    ]


@pytest.mark.parametrize(
    ("model", "counts", "output", "ambiguous"),
    [
        ("gpt-5", {"input": 100, "output": 50, "reasoning": 30}, 80, 30),  # a part of the output, or on top of it
        ("gpt-5", {"input": 100, "output": 50, "reasoning": 0}, 50, None),
        ("gpt-5", {"input": 100, "output": 50, "reasoning": 70}, 120, None),  # more than the output
        ("gpt-5", {"total": 150, "input": 100, "output": 50, "reasoning": 30}, 50, None),
        ("gemini-3-pro-preview", {"input": 100, "output": 50, "reasoning": 30}, 80, None),
    ],
)
def test_reasoning_without_a_total_has_two_bounds(
    model: str, counts: dict[str, int], output: int, ambiguous: int | None
) -> None:
    message = {"id": "m", "role": "assistant", "modelID": model, "time": {"created": 1_793_613_600_000}}
    (_, found), *_ = FormatDetector(all_formats(), path="log.jsonl").entries(
        1, {**message, "sessionID": "s", "tokens": counts}
    )
    assert isinstance(found, Request)
    assert (found.usage.output_tokens, found.usage.ambiguous_tokens) == (output, ambiguous)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "opencode.db"
    path.parent.mkdir()
    own = "id text PRIMARY KEY, session_id text, time_created integer, time_updated integer, data text"
    asked = {"role": "user", "time": {"created": 1_793_613_600_000}}
    counts = {"input": 100, "output": 20, "reasoning": 0, "cache": {"read": 400, "write": 0}}
    answered = {"role": "assistant", "modelID": "gpt-5", "providerID": "openai", "tokens": {"total": 520, **counts}}
    step = {"type": "step-finish", "cost": 0.01, "tokens": {"total": 320, **counts, "input": 300, "cache": {"read": 0}}}
    second = {
        "model": {"id": "gpt-5", "providerID": "openai"},
        "tokens": counts,
        "time": {"created": 1_793_613_602_000},
    }
    with closing(sqlite3.connect(path)) as opened:
        opened.execute(f"CREATE TABLE message ({own})")
        opened.execute(f"CREATE TABLE part ({own}, message_id text)")
        opened.execute(f"CREATE TABLE session_message ({own}, type text)")
        opened.execute("CREATE TABLE session (id text, tokens_input integer, cost real)")  # sums, which are not read
        opened.execute("INSERT INTO session VALUES ('s', 999999, 99)")
        times = (1_793_613_601_000, 1_793_613_601_000)
        for name, data in (("m1", asked), ("m2", answered)):
            opened.execute("INSERT INTO message VALUES (?, 's', ?, ?, ?)", (name, *times, json.dumps(data)))
        parts = [step, {"type": "text", "text": "hello"}, {**step, "tokens": answered["tokens"]}]
        for number, data in enumerate(parts):
            values = (f"p{number}", *times, json.dumps(data))
            opened.execute("INSERT INTO part VALUES (?, 's', ?, ?, ?, 'm2')", values)
        copy = {**second, "tokens": answered["tokens"], "time": {"created": 1_793_613_600_500}}
        for name, kind, data in (
            ("m3", "user", {"text": "hi"}),
            ("m4", "assistant", second),
            ("m2b", "assistant", copy),
        ):
            created = data.get("time", second["time"])["created"]
            values = (name, created, created + 1, json.dumps(data), kind)
            opened.execute("INSERT INTO session_message VALUES (?, 's', ?, ?, ?, ?)", values)
        opened.commit()
    return path


@pytest.mark.parametrize("of_folder", [False, True])
def test_the_database_holds_a_row_a_message_and_the_steps_among_its_parts(database: Path, *, of_folder: bool) -> None:
    document = llm_audit.analyze(database.parent if of_folder else database).document
    assert (document.requests.read, document.requests.audited, document.requests.not_provider_calls) == (5, 3, 2)
    assert (document.tokens.input, document.tokens.cache_read, document.tokens.output) == (500, 800, 60)
    assert document.cost.stated == "0.02"
    assert (document.period.start, document.requests.rejected) == ("2026-11-02T10:00:01+00:00", 0)


def test_a_step_that_a_run_printed_is_refused_for_its_model() -> None:
    assert rejections("opencode/printed.jsonl") == [("no_model", "modelID")]
    assert not_calls("opencode/printed.jsonl") == ["metadata"]
