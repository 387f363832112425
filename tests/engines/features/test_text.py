import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.engines.features import text as text_features
from llm_audit.engines.features.digest import digest, digest_in_python
from llm_audit.engines.features.text import extract_text_features
from llm_audit.sources.entry import Message, Request

SYSTEM = Message("system", "You help. Today is Monday, 3 March 2026.")
ASK = Message("user", "What is a monad?")
REPLY = Message("assistant", "A monoid.")
CALL = Message("assistant", "", calls='[{"name": "read"}]', call_id="c1")
RESULT = Message("tool", "file", call_id="c1")


def request(*messages: Message, **other) -> Request:
    return Request(model="m", messages=list(messages), **other)


def test_a_turn_knows_the_prompt_it_follows() -> None:
    first, second = request(SYSTEM, ASK), request(SYSTEM, ASK, REPLY, Message("user", "Why?"))
    assert extract_text_features(first).parent_prompt_hash is None
    assert extract_text_features(second).parent_prompt_hash == extract_text_features(first).prompt_hash
    assert extract_text_features(second).turns == 2


def test_a_tool_loop_knows_the_prompt_it_follows_and_what_it_answers() -> None:
    first = request(ASK, completion="", completion_calls='[{"name": "read"}]', completion_call_id="c1", tools=("read",))
    second = request(ASK, CALL, RESULT, Message("tool", "more", call_id="c2"), tools=("read",))
    asked, answered = extract_text_features(first), extract_text_features(second)
    assert answered.parent_prompt_hash == asked.prompt_hash
    assert answered.tool_result_hash == asked.tool_call_hash is not None
    assert (asked.calls_tools, asked.answers_tools, asked.needs_tools) == (True, False, True)
    assert (answered.calls_tools, answered.answers_tools) == (None, True)


def test_a_reply_in_several_messages_is_one_reply() -> None:
    first, second = request(ASK), request(ASK, REPLY, CALL, RESULT)
    assert extract_text_features(second).parent_prompt_hash == extract_text_features(first).prompt_hash


@pytest.mark.parametrize(
    "other",
    [
        Message("user", "What is a monad"),
        Message("assistant", "What is a monad?"),
        Message("user", "What is a monad?", images=1),
        Message("user", "What is a monad?", calls="x"),
    ],
)
def test_another_message_is_another_prompt(other: Message) -> None:
    assert extract_text_features(request(other)).prompt_hash != extract_text_features(request(ASK)).prompt_hash


def test_a_template_is_the_same_on_another_day_and_another_with_other_tools() -> None:
    later = Message("system", "You help. Today is Friday, 21 November 2027.")
    assert (
        extract_text_features(request(SYSTEM, ASK)).template_hash
        == extract_text_features(request(later, ASK)).template_hash
    )
    assert (
        extract_text_features(request(SYSTEM, ASK)).template_hash
        == extract_text_features(request(SYSTEM, ASK, REPLY, RESULT)).template_hash
    )
    other = {
        extract_text_features(request(SYSTEM, ASK, tools=("a",))).template_hash,
        extract_text_features(request(SYSTEM, ASK, tools=("b",))).template_hash,
        extract_text_features(request(Message("system", "You don't help."), ASK)).template_hash,
        extract_text_features(request(SYSTEM, ASK)).template_hash,
    }
    assert len(other) == 4
    assert extract_text_features(request(ASK)).template_hash is None
    assert (
        extract_text_features(request(ASK, tools=("b", "a"))).template_hash
        == extract_text_features(request(ASK, tools=("a", "b"))).template_hash
    )


@pytest.mark.parametrize("tools", [(), ("read",)])
@pytest.mark.parametrize("reminded_first", [False, True])
def test_a_reminder_within_a_conversation_leaves_the_template_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tools: tuple[str, ...], *, reminded_first: bool
) -> None:
    monkeypatch.setattr(text_features, "_templates", {})  # what was read before must not matter
    plain = request(SYSTEM, ASK, tools=tools)
    reminded = request(SYSTEM, ASK, REPLY, Message("system", "Be brief."), ASK, tools=tools)
    prompts = (reminded, plain) if reminded_first else (plain, reminded)
    first, second = (extract_text_features(prompt).template_hash for prompt in prompts)
    monkeypatch.setattr(text_features, "_templates", {})
    assert first == second == extract_text_features(plain).template_hash


def test_sizes_and_needs_are_those_of_the_text() -> None:
    found = extract_text_features(
        request(SYSTEM, Message("user", "Look", images=2), completion="Seen", completion_calls="[]")
    )
    assert (found.prompt_chars, found.completion_chars) == (len(SYSTEM.text) + 4, 6)
    assert (found.needs_vision, found.needs_audio, found.needs_tools) == (True, False, False)


def test_of_a_request_without_text_nothing_is_known() -> None:
    found = extract_text_features(Request(model="m"))
    assert found.prompt_hash is found.template_hash is found.turns is found.prompt_chars is None
    assert found.needs_vision is found.needs_tools is found.calls_tools is found.answers_tools is None
    assert (found.ask, found.judged, found.abstention) == ("", "abstained", "no_text")


MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant", "tool"]), st.text(max_size=5)),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(
    MESSAGES,
    st.text(max_size=5),
    st.lists(st.builds(Message, st.sampled_from(["user", "tool"]), st.text(max_size=5)), min_size=1),
)
def test_any_turn_is_found_by_the_prompt_it_follows(before: list[Message], reply: str, after: list[Message]) -> None:
    if before[-1].role == "assistant":
        before = [*before, ASK]
    second = request(*before, Message("assistant", reply), *after)
    assert extract_text_features(second).parent_prompt_hash == extract_text_features(request(*before)).prompt_hash


@settings(deadline=None)
@given(
    MESSAGES,
    st.text(max_size=5),
    st.lists(st.builds(Message, st.sampled_from(["user", "tool"]), st.text(max_size=5)), min_size=1),
)
def test_every_turn_has_the_opening_of_the_turn_it_follows(
    before: list[Message], reply: str, after: list[Message]
) -> None:
    if before[-1].role == "assistant":
        before = [*before, ASK]
    second = request(*before, Message("assistant", reply), *after)
    assert extract_text_features(second).opening_hash == extract_text_features(request(*before)).opening_hash


def test_an_opening_is_what_is_said_before_the_first_reply() -> None:
    first = extract_text_features(request(SYSTEM, ASK))
    assert first.opening_hash == first.prompt_hash
    other = extract_text_features(request(SYSTEM, Message("user", "What is a comonad?"), REPLY, ASK))
    assert other.opening_hash not in (None, first.opening_hash)
    greeted = [extract_text_features(request(REPLY, Message("user", word))).opening_hash for word in ("a", "b")]
    assert None not in greeted
    assert greeted[0] != greeted[1]
    assert extract_text_features(Request(model="m")).opening_hash is None


ROLES = st.sampled_from(["system", "user", "assistant", "tool", "critic", "é"])
SIZES = st.sampled_from([0, 1, 3, 4, 8, 9, 16, 17, 32, 33, 64, 65, 96, 97, 128, 129, 240, 241, 1024, 1025, 5000])
LINES = (
    "Question: why so?\n",
    "Rework it:\n\n",
    "title of this chat ",
    "```\ncode\n```\n",
    "<context>",
    "> ",
    "yes ",
    "and so on, ",
)
TEXTS = (
    st.text(max_size=12)
    | st.lists(st.sampled_from(LINES), max_size=40).map("".join)
    | st.builds(lambda size, text: (text * size)[:size], SIZES, st.text(min_size=1, max_size=9))
)
FOLDED = st.builds(
    Message,
    ROLES,
    TEXTS,
    calls=st.just("") | TEXTS,
    call_id=st.just("c"),
    images=st.integers(0, 2) | st.just(2**40),
    audio=st.integers(0, 2),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(FOLDED, min_size=1, max_size=6))
def test_the_compiled_digest_and_the_python_form_agree(messages: list[Message]) -> None:
    assert digest(messages) == digest_in_python(messages)


@pytest.mark.parametrize("form", [digest, digest_in_python])
@pytest.mark.parametrize(
    ("message", "error"),
    [
        (Message("user", "\ud800"), UnicodeEncodeError),
        (Message("\ud800", ""), UnicodeEncodeError),
        (Message("user", "", calls="\ud800"), UnicodeEncodeError),
        (Message("user", None), (AttributeError, TypeError)),
        (Message("user", "", images=None, audio=None, calls=1), TypeError),
        (object(), AttributeError),
    ],
)
def test_what_is_no_message_of_text_is_refused(form, message, error) -> None:
    with pytest.raises(error):
        form([message])


def test_of_nothing_nothing_is_known() -> None:
    for form in (digest, digest_in_python):
        with pytest.raises(TypeError):
            form(None)
