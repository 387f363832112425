import json
from pathlib import Path

from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

ANSWER, STREAM = "gemini-cli-output/answer.json", "gemini-cli-output/stream.jsonl"


def test_an_answer_sums_up_the_calls_of_each_model() -> None:
    first, second, flash = requests(ANSWER)
    assert [request.model for request in (first, second, flash)] == ["gemini-2.5-pro"] * 2 + ["gemini-2.5-flash"]
    assert tokens(first) == tokens(second) == (200, 1000, None, None, 87)
    assert (tokens(flash), flash.conversation, flash.tags) == ((900, 0, None, None, 40), "g1", ("aggregated",))
    assert first.merge_key != second.merge_key


def test_a_stream_does_not_tell_how_many_calls_there_were() -> None:
    run, by_model = requests(STREAM)
    assert (run.model, run.conversation, run.usage.reasoning_tokens) == ("gemini-2.5-pro", "g2", 30)
    assert tokens(run) == (30, 20, None, None, 230)
    assert (by_model.model, tokens(by_model)) == ("gemini-2.5-flash", (80, 0, None, None, 200))
    assert run.tags == ("aggregated", "request-count-unknown")
    assert not_calls(STREAM) == ["metadata"] * 5


def test_sums_of_a_model_without_a_name_are_rejected(tmp_path: Path) -> None:
    log = tmp_path / "answer.json"
    log.write_text(
        json.dumps({"response": "x", "stats": {"models": {" ": {"tokens": {"prompt": 5, "candidates": 2}}}}})
    )
    assert rejections(log) == [("no_model", "stats.models")]
