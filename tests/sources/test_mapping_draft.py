import tomllib

from llm_audit.sources.formats.interface import Context
from llm_audit.sources.mapping import build
from llm_audit.sources.mapping_draft import suggest


def test_a_draft_is_toml_that_reads_the_log_and_holds_no_values() -> None:
    record = {
        "event": {"created_at": 1_767_614_400, "Model": "secret-model"},
        "tokens": {"prompt": 5, "completion": 6},
        "latency": {"ms": 12},
        "blob": {"x.y": "secret text"},
    }
    draft = suggest([record, record])
    assert "secret" not in draft
    assert 'blob["x.y"]' in draft
    table = tomllib.loads(draft)["mapping"]
    assert table == {
        "timestamp": "event.created_at",
        "model": "event.Model",
        "input_tokens": "tokens.prompt",
        "output_tokens": "tokens.completion",
        "latency_ms": "latency.ms",
    }
    (request,) = build(table).entries(record, Context("x"))
    assert (request.model, request.usage.input_tokens, request.latency_ms) == ("secret-model", 5, 12.0)


def test_a_draft_names_what_is_missing() -> None:
    draft = suggest([{"zz": 1}])
    assert '# model = ""' in draft
    assert tomllib.loads(draft) == {"mapping": {}}
    assert "no record would be audited: no field seems to name the model" in draft


def test_short_names_are_known() -> None:
    record = {
        "ts": 1_767_614_400,
        "mdl": "gpt-4o",
        "tok": {"p": 5, "c": 6},
        "svc": "shop",
        "squad": "core",
        "uid": "u",
        "q": "Hi",
        "a": "Hello",
        "Cost (USD)": 0.25,
    }
    draft = suggest([record])
    assert "Warning" not in draft
    (request,) = build(tomllib.loads(draft)["mapping"]).entries(record, Context("x"))
    assert (request.model, request.usage.input_tokens, request.usage.output_tokens) == ("gpt-4o", 5, 6)
    assert (request.app, request.team, request.user) == ("shop", "core", "u")
    assert ([message.text for message in request.messages], request.completion) == (["Hi"], "Hello")
    assert request.stated_cost_pico == 250_000_000_000


def test_the_model_is_the_answers() -> None:
    def table(record):
        return tomllib.loads(suggest([record]))["mapping"]

    assert table({"request_model": "a", "model": "b"}) == {"model": "model", "request_model": "request_model"}
    assert table({"request_body": {"model": "a"}, "answer": {"model": "b"}})["model"] == "answer.model"
    assert table({"call": {"request_model": "a", "response_model": "b"}})["model"] == "call.response_model"
    assert table({"call": {"request_model": "a"}}) == {"model": "call.request_model"}


def test_a_draft_that_would_audit_nothing_says_why() -> None:
    assert "would be audited: bad time." in suggest([{"time": "yesterday", "model": "m", "input_tokens": 1}])
    assert "Warning" not in suggest([{"time": "2026-01-01", "model": "m", "input_tokens": 1}])


def test_a_key_that_is_a_secret_is_not_repeated() -> None:
    keys = {"sk-live-4f9a": {"model": "m"}, "0a1b2c3d4e5f60718293a4b5c6d7e8f9": 1, "ann@example.com": 2}
    draft = suggest([{"model": "m", **keys}])
    assert not any(key in draft for key in keys)
