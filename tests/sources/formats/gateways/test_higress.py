import json
from pathlib import Path

from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "higress/access.jsonl"


def test_a_call_is_what_the_plugin_found() -> None:
    streamed, cached = requests(PATH)
    assert (streamed.model, streamed.user, streamed.status_code) == ("qwen-max", "search", 200)
    assert (streamed.streamed, streamed.latency_ms) == (True, 900.0)
    assert tokens(streamed) == (100, None, None, None, 20)
    assert (tokens(cached), cached.usage.unread_counts) == ((36, 64, None, None, 20), None)


def test_other_lines_are_no_calls_or_rejected() -> None:
    assert not_calls(PATH) == ["not_a_model_call"]
    assert rejections(PATH) == [("no_model", "ai_log.model")]


def test_a_log_that_was_cut_is_rejected(tmp_path: Path) -> None:
    log = tmp_path / "access.jsonl"
    lines = [{"start_time": "2026-10-03T10:00:00Z", "ai_log": text} for text in ('{"model":"qwen-max","in', "-", "")]
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert rejections(log) == [("bad_shape", "ai_log")]
    assert not_calls(log) == ["not_a_model_call"] * 2
