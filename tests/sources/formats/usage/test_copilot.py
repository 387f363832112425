from tests.sources.formats.fixture_files import entries, rejections

from llm_audit.sources.entry import Rejected

PATH = "copilot/metrics.json"


def test_metrics_hold_no_tokens_and_say_so() -> None:
    assert rejections(PATH) == [("bad_shape", "tokens")]
    assert ["not tokens" in entry.note for entry in entries(PATH) if isinstance(entry, Rejected)] == [True]


def test_premium_requests_are_no_calls_of_unknown_size() -> None:
    for report in ("copilot/premium_requests.csv", "copilot/premium_requests_2025.csv"):
        assert rejections(report) == [("bad_shape", "tokens")]
