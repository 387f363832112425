from pathlib import Path

from tests.sources.formats.fixture_files import FIXTURES, not_calls, requests, tokens


def test_batch_lines_are_billed_at_the_batch_price() -> None:
    first, second = requests("openai-batch/output.jsonl")
    assert (tokens(first), tokens(second)) == ((20, 0, None, None, 10), (22, 0, None, None, 10))
    (responses,) = requests("openai-batch/made.jsonl")
    assert tokens(responses) == (500 - 256, 256, None, None, 3)
    assert {request.service_tier for request in (first, second, responses)} == {"batch"}
    assert not_calls("openai-batch/made.jsonl") == ["not_sent", "not_sent"]


def test_a_response_that_is_the_body_itself_is_of_a_batch_where_a_line_holds_nothing_else(tmp_path: Path) -> None:
    (batched,) = requests("openai-batch/bare.jsonl")
    assert (batched.service_tier, tokens(batched)) == ("batch", (120, None, None, None, 4))
    line = (FIXTURES / "openai-batch/bare.jsonl").read_text().replace('"error": null', '"at": "2026-10-03T10:00:00Z"')
    (tmp_path / "own.jsonl").write_text(line)
    (own,) = requests(tmp_path / "own.jsonl")
    assert (own.service_tier, tokens(own)) == ("standard", (120, None, None, None, 4))
