from decimal import Decimal
from pathlib import Path

from tests.sources.formats.fixture_files import FIXTURES, entries, read, rejections, requests, tokens

from llm_audit import api
from llm_audit.sources.entry import Rejected, Request

PATH, LINES = "anthropic-usage/messages.json", "anthropic-usage/lines.jsonl"


def test_counts_are_disjoint_by_lifetime_of_the_cache() -> None:
    (request,) = requests(PATH)
    assert tokens(request) == (1500, 200, 500, 1000, 500)
    assert (request.usage.tool_calls_billed, request.time_us) == (10, 1_793_577_600_000_000)
    assert request.tags == ("aggregated", "request-count-unknown")


def test_a_row_is_the_fewest_requests_that_its_window_allows() -> None:
    short = [request for request in requests(LINES) if request.model == "claude-opus-4-6"]
    assert [tokens(request)[:2] for request in short] == [(33334, 100000), (33334, 100000), (33333, 100000)]
    assert sum(request.usage.output_tokens or 0 for request in short) == 500
    (long,) = [request for request in requests(LINES) if request.model == "claude-sonnet-4-5"]
    assert tokens(long)[0] == 500_000  # above 200,000, as its window says


def test_what_the_price_depends_on_is_read() -> None:
    found = {request.model: request for request in requests(LINES)}
    short, long = found["claude-opus-4-6"], found["claude-sonnet-4-5"]
    assert (short.service_tier, short.region, short.team) == ("priority", "us", "wrkspc_a")
    assert (long.service_tier, long.region, long.team) == ("batch", None, None)


def test_rows_without_a_model_and_costs_are_refused_with_a_reason() -> None:
    assert rejections(LINES) == [("no_model", "model"), ("bad_shape", "uncached_input_tokens")]
    notes = [entry.note for entry in entries(LINES) if isinstance(entry, Rejected)]
    assert "group_by=model" in notes[0]
    assert "reconcile" in notes[1]


def test_a_row_is_priced_to_the_last_token() -> None:
    document = api.analyze(FIXTURES / PATH).document
    # per million: 1500 * 3 + 200 * 0.30 + 500 * 3.75 + 1000 * 6 + 500 * 15, and 10 searches of a cent each
    assert Decimal(document.cost.actual) == Decimal("0.019935") + Decimal("0.1")


def test_the_consoles_csv_is_read_as_the_api_is() -> None:
    sonnet, haiku = requests("anthropic-usage/console.csv")
    assert (tokens(sonnet), sonnet.usage.tool_calls_billed) == ((1000, 9000, 200, 300, 500), 3)
    assert (sonnet.team, sonnet.time_us, sonnet.region) == ("Default", 1_777_852_800_000_000, None)
    assert (tokens(haiku), haiku.service_tier) == ((50_000, 0, 0, 0, 2000), "batch")
    assert "request-count-unknown" in sonnet.tags


def test_a_custom_log_may_count_uncached_tokens(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(
        '{"timestamp": "2026-05-28T20:27:00Z", "model": "gpt-4o", "input_tokens": 1000, "output_tokens": 50, '
        '"cached_input_tokens": 600, "uncached_input_tokens": 400}\n'
    )
    ((name, request),) = read(log)
    assert isinstance(request, Request)
    assert (name, tokens(request)) == ("flat", (400, 600, None, None, 50))
