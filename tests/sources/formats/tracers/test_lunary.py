from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "lunary/runs.jsonl"


def test_a_run_of_a_model_is_a_call() -> None:
    run, failed = requests(PATH)
    assert (run.model, tokens(run)) == ("gpt-4o", (150, None, None, None, 40))
    assert (run.stated_cost_pico, run.latency_ms, run.time_us) == (775_000_000, 2000.0, 1_778_580_000_000_000)
    assert (run.team, run.user, run.tags, run.trace, run.max_output_tokens) == ("search", "u-1", ("beta",), "t-1", 100)
    assert ([message.text for message in run.messages or []], run.completion) == (["Hi"], "Hello")
    assert (failed.status, failed.usage.usage_source, failed.stated_cost_pico) == ("error", "none", None)


def test_runs_around_calls_are_none() -> None:
    assert not_calls(PATH) == ["not_a_model_call"]
    assert rejections(PATH) == [("no_model", "name")]
