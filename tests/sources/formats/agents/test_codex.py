from tests.sources.formats.fixture_files import FIXTURES, not_calls, once, requests, tokens

from llm_audit.sources.entry import Request
from llm_audit.sources.formats.agents import codex
from llm_audit.sources.formats.interface import Context


def test_the_fixture_of_ccusage() -> None:
    first, second = requests("codex/ccusage_fixture.jsonl")
    assert (first.model, tokens(first)) == ("gpt-5.2-codex", (750, 250, None, None, 125))
    assert first.usage.reasoning_tokens == 75
    assert (second.model, tokens(second)) == ("gpt-5.3-codex", (2000, 500, None, None, 300))


def test_a_total_that_did_not_move_is_no_new_call() -> None:
    found = requests("codex/reemitted.jsonl")
    kept = once(found)
    assert (len(found), len(kept)) == (4, 2)
    assert [tokens(call) for call in kept] == [(1000, 0, None, None, 100), (500, 1500, None, None, 200)]
    assert sum(count or 0 for call in kept for count in tokens(call)) == 3300  # the session's last total


def test_the_history_a_fork_copies_is_counted_once_wherever_it_is() -> None:
    parent, fork = requests("codex/reemitted.jsonl"), requests("codex/forked.jsonl")
    assert len(once(fork)) == 3  # also without the parent's file
    both = once([*parent, *fork])
    assert [tokens(call) for call in both] == [
        (1000, 0, None, None, 100),
        (500, 1500, None, None, 200),
        (1100, 1500, None, None, 80),  # the fork's own: 2600 - 1500
    ]
    assert sum(count or 0 for call in both for count in tokens(call)) == 5980


def test_prompts_are_rebuilt_in_file_order() -> None:
    first, _, _, last = requests("codex/reemitted.jsonl")
    assert [(message.role, message.text) for message in first.messages or []] == [
        ("system", "You are a coding agent."),
        ("user", "Fix the failing test."),
    ]
    assert (first.completion_calls, first.completion_call_id) == ('shell({"command":["pytest"]})', "call_1")
    assert [message.role for message in last.messages or []] == ["system", "user", "assistant", "tool"]
    assert last.completion == "The test is fixed."
    assert (first.app, first.needs_reasoning, first.conversation) == (
        "shop-api",
        True,
        "01970000-0000-7000-8000-00000000000a",
    )
    assert set(not_calls("codex/reemitted.jsonl")) == {"metadata"}


def _calls(*totals: tuple[int, int], last: bool = False) -> list[Request]:
    """Requests of a file of running totals of (input, output) tokens, by their growth alone."""
    context = Context("x")
    found = []
    for number, (given, made) in enumerate(totals):
        usage = {"input_tokens": given, "output_tokens": made}
        info = {"total_token_usage": usage, **({"last_token_usage": usage} if last else {})}
        record = {
            "timestamp": f"2026-05-01T10:00:{number:02}Z",
            "type": "event_msg",
            "payload": {"type": "token_count", "info": info},
        }
        found += [entry for entry in codex.FORMAT.entries(record, context) if isinstance(entry, Request)]
    return found


def test_without_the_last_usage_a_total_is_taken_apart_and_one_that_fell_began_anew() -> None:
    calls = once(_calls((100, 10), (100, 10), (250, 30), (40, 5)))
    assert [(call.usage.input_tokens, call.usage.output_tokens) for call in calls] == [(100, 10), (150, 20), (40, 5)]


def test_a_model_that_is_not_logged_is_named_as_such() -> None:
    (call,) = _calls((100, 10))
    assert call.model == "codex (model not logged)"


def test_files_joined_into_one_are_read_as_apart(tmp_path) -> None:
    names = ("reemitted", "forked")
    joined = "".join((FIXTURES / f"codex/{name}.jsonl").read_text() for name in names)
    (tmp_path / "all.jsonl").write_text(joined)
    apart = [call for name in names for call in requests(f"codex/{name}.jsonl")]
    assert requests(tmp_path / "all.jsonl") == apart


def test_sessions_without_an_id_are_told_apart_by_their_start() -> None:
    one = _calls((100, 10))
    context = Context("y")
    record = {
        "timestamp": "2026-06-01T10:00:00Z",
        "type": "event_msg",
        "payload": {"type": "token_count", "info": {"total_token_usage": {"input_tokens": 100, "output_tokens": 10}}},
    }
    other = [entry for entry in codex.FORMAT.entries(record, context) if isinstance(entry, Request)]
    assert len(once([*one, *other])) == 2


def _recorded(*events: tuple[str, int, int]) -> list[Request]:
    """Requests of a file of events of (kind, input, output); ``count`` gives running totals."""
    context, total = Context("x"), {"input_tokens": 0, "output_tokens": 0}
    found: list[Request] = []
    for number, (kind, given, made) in enumerate(events):
        usage = {"input_tokens": given, "output_tokens": made}
        if kind == "moved":
            total = {name: total[name] + usage[name] for name in total}
        info = {"total_token_usage": total, "last_token_usage": usage}
        payload = {"type": "token_count", "info": info}
        if kind == "record":
            payload = {"response_id": f"resp_{number}", "model": "gpt-5", "usage": usage}
        event = "token_usage_record" if kind == "record" else "event_msg"
        record = {"timestamp": f"2026-05-01T10:00:{number:02}Z", "type": event, "payload": payload}
        found += [entry for entry in codex.FORMAT.entries(record, context) if isinstance(entry, Request)]
    return once(found)


def test_a_call_outside_the_running_total_is_counted_once() -> None:
    paired = ("record", 100, 10), ("moved", 100, 10)
    compaction = ("record", 900, 50), ("refreshed", 100, 10)
    for events in (paired, [*paired, *compaction, ("record", 70, 5), ("moved", 70, 5)], [("record", 40, 4)]):
        expected = [(given, made) for kind, given, made in events if kind == "record"]
        calls = _recorded(*events)
        assert sorted((call.usage.input_tokens, call.usage.output_tokens) for call in calls) == sorted(expected)
