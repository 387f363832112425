from tests.sources.formats.fixture_files import not_calls, requests, tokens


def test_results_are_billed_at_the_batch_price() -> None:
    (answered,) = requests("xai-batch/results.jsonl")
    assert (answered.model, answered.provider, answered.service_tier) == ("grok-4", "xai", "batch")
    assert tokens(answered) == (300, 600, None, None, 45)
    assert not_calls("xai-batch/results.jsonl") == ["not_sent", "metadata"]


def test_a_page_holds_several_results() -> None:
    assert [(found.service_tier, tokens(found)[0]) for found in requests("xai-batch/page.json")] == [
        ("batch", 900),
        ("batch", 30),
    ]
