import pytest

from llm_audit.errors import UsageError
from llm_audit.sources.formats.interface import Context
from llm_audit.sources.mapping import build

RECORD = {
    "meta": {"at": "2026-01-05T12:00:00Z", "owner": {"team": "core"}},
    "call": {"engine.name": "gpt-4o", "tokens": [{"in": 100, "out": 9}], "ask": '[{"role": "user", "content": "Hi"}]'},
}
TABLE = {
    "timestamp": "$.meta.at",
    "model": "call['engine.name']",
    "input_tokens": "call.tokens[0].in",
    "output_tokens": "call.tokens[0].out",
    "messages": "call.ask",
    "team": "meta.owner.team",
}


def test_a_mapping_reads_any_record() -> None:
    form = build(TABLE)
    assert form.matches(RECORD, Context("x"))
    (request,) = form.entries(RECORD, Context("x"))
    assert (request.model, request.usage.input_tokens, request.usage.output_tokens) == ("gpt-4o", 100, 9)
    assert (request.time_us, request.team) == (1_767_614_400_000_000, "core")
    assert [message.text for message in request.messages] == ["Hi"]


def test_a_record_without_the_model_is_not_matched() -> None:
    assert not build(TABLE).matches({"call": {"engine.name": None}}, Context("x"))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"model": "m", "input_tokns": "a"}, 'did you mean "input_tokens"'),
        ({"input_tokens": "a"}, 'no "model"'),
        ({"model": "a[x"}, "is not a path"),
        ({"model": ""}, "is not a path"),
    ],
)
def test_mistakes_say_what_to_do(table, said) -> None:
    with pytest.raises(UsageError, match=said):
        build(table)
