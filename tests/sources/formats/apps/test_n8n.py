from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

from llm_audit.sources.databases.schemas.n8n import unflattened

PATH = "n8n/executions.jsonl"


def test_a_run_of_a_model_is_a_call() -> None:
    request = requests(PATH)[0]
    assert tokens(request)[0] == 1000
    assert request.usage.output_tokens == 100
    assert (request.model, request.model_requested) == ("gpt-4o-mini-2024-07-18", "gpt-4o-mini")
    assert (request.app, request.trace, request.latency_ms) == ("Support", "7", 850.0)
    assert [message.text for message in request.messages] == ["Human: What is 2 + 2?"]
    assert request.completion == "4"


def test_counts_that_n8n_estimated_are_not_read() -> None:
    assert requests(PATH)[1].usage.usage_source == "none"


def test_failed_runs_are_calls_and_other_nodes_are_not() -> None:
    assert [(request.status, request.model) for request in requests(PATH)[2:]] == [("error", "gpt-4o")]
    assert not_calls(PATH) == ["metadata"]
    assert rejections(PATH) == [("no_model", "model")]


def test_each_run_has_a_key_of_its_own() -> None:
    assert len({request.merge_key for request in requests(PATH)}) == 3


def test_what_flatted_wrote_is_read_and_damage_is_none() -> None:
    assert unflattened('[{"a":"1","b":"2"},"text",["1",true,null,1.5]]') == {
        "a": "text",
        "b": ["text", True, None, 1.5],
    }
    assert unflattened('[{"self":"0"}]') is not None
    for damaged in ("", "{}", "[", '[{"a":"9"}]', '[{"a":"x"}]'):
        assert unflattened(damaged) is None
