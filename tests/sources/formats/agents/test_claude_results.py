import json
from pathlib import Path

from tests.sources.formats.fixture_files import FIXTURES, not_calls, once, rejections, requests, tokens

STREAM, RESULTS = "claude-code/printed_stream.json", "claude-code/printed_results.json"
OLD = "claude-code/printed_before_model_usage.json"


def _sums(path: str | Path) -> dict[str, tuple[int, ...]]:
    """The counts of each model line in a file, summed over calls."""
    sums: dict[str, tuple[int, ...]] = {}
    for request in once(requests(path)):
        line = "haiku" if "haiku" in request.model else "opus"
        counts = tuple(count or 0 for count in tokens(request))
        sums[line] = tuple(a + b for a, b in zip(sums.get(line, (0,) * 5), counts, strict=True))
    return sums


def test_a_result_adds_what_the_rows_before_it_do_not_hold() -> None:
    assert _sums(STREAM) == {"opus": (20, 3600, 350, 0, 605), "haiku": (700, 0, 0, 0, 20)}
    rest = [request for request in requests(STREAM) if "aggregated" in request.tags]
    assert [(request.model, request.usage.output_tokens) for request in rest] == [
        ("us.anthropic.claude-opus-4-6-v1", 500),
        ("claude-haiku-4-5-20251001", 20),
        ("us.anthropic.claude-opus-4-6-v1", 99),
    ]
    assert [request.stated_cost_pico for request in rest] == [None, 10_000_000_000, None]


def test_pieces_of_a_reply_are_no_calls_beside_its_rows() -> None:
    assert not_calls(STREAM) == ["metadata"] * 3  # the beginning, and two pieces


def test_results_without_rows_are_runs_of_their_own() -> None:
    first, second, haiku, opus = requests(RESULTS)
    assert (first.model, tokens(first), tokens(second)) == (
        "claude-opus-4-6[1m]",
        (15, 450, 0, 200, 100),
        (15, 450, 0, 200, 100),
    )
    assert first.usage.tool_calls_billed == 1
    assert first.tags == ("aggregated", "request-count-unknown")
    assert (haiku.model, tokens(haiku)) == ("claude-haiku-4-5-20251001", (700, 0, 0, 0, 20))
    assert tokens(opus) == (40, 1200, 100, 400, 300)
    assert not_calls(RESULTS) == ["metadata"]


def test_before_sums_by_model_a_run_is_of_the_model_that_it_began_with() -> None:
    assert {request.model for request in requests(OLD)} == {"claude-opus-4-6"}
    assert _sums(OLD) == {"opus": (30, 900, 0, 400, 200)}
    assert rejections(OLD) == [("no_model", "modelUsage")]


def test_rows_of_a_model_that_the_sums_do_not_name_leave_them_out(tmp_path: Path) -> None:
    rows = (FIXTURES / STREAM).read_text().replace('"model": "claude-opus-4-6"', '"model": "glm-5"')
    (tmp_path / "other.json").write_text(rows)
    assert [request.usage.output_tokens for request in once(requests(tmp_path / "other.json"))] == [2, 3, 1]


def test_sums_of_a_model_without_a_name_are_rejected(tmp_path: Path) -> None:
    sums = {"inputTokens": 10, "outputTokens": 20}
    log = tmp_path / "printed.json"
    log.write_text(json.dumps({"type": "result", "session_id": "s", "uuid": "r", "modelUsage": {"": sums}}))
    assert rejections(log) == [("no_model", "modelUsage")]
