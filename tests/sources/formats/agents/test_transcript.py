from hypothesis import given
from hypothesis import strategies as st

from llm_audit.sources.entry import Message
from llm_audit.sources.formats.agents._transcript import WINDOW, Transcript, folder


def test_a_short_prompt_is_whole_and_empty_replies_are_left_out() -> None:
    said = Transcript()
    assert said.prompt() is None
    said.add([Message("system", "S"), Message("user", "a"), Message("assistant", ""), Message("tool", "", "", "c")])
    assert [(message.role, message.text) for message in said.prompt() or []] == [
        ("system", "S"),
        ("user", "a"),
        ("tool", ""),
    ]


def test_a_long_prompt_keeps_the_system_prompt_and_the_latest_ask() -> None:
    said = Transcript()
    said.add([Message("system", "S"), Message("user", "old"), Message("user", "ask")])
    said.add(Message("tool", str(number)) for number in range(3 * WINDOW))
    prompt = said.prompt() or []
    assert [message.text for message in prompt[:2]] == ["S", "ask"]
    assert [message.text for message in prompt[2:]] == [str(number) for number in range(2 * WINDOW, 3 * WINDOW)]


@given(st.lists(st.sampled_from(["user", "assistant", "tool"]), max_size=4 * WINDOW), st.integers(1, 90))
def test_a_prompt_is_of_the_last_messages_however_many_are_added_at_once(roles, at_once) -> None:
    messages = [Message(role, str(number)) for number, role in enumerate(roles)]
    said = Transcript()
    for start in range(0, len(messages), at_once):
        said.add(messages[start : start + at_once])
        so_far = messages[: start + at_once]
        ask = next((message for message in reversed(so_far) if message.role == "user"), None)
        window = so_far[-WINDOW:]
        assert said.prompt() == ([ask, *window] if ask is not None and ask not in window else window)


def test_a_compaction_leaves_the_system_prompt() -> None:
    said = Transcript()
    said.add([Message("system", "S"), Message("user", "ask")])
    said.compact()
    assert [message.text for message in said.prompt() or []] == ["S"]


def test_folders() -> None:
    assert [folder(path) for path in ("/srv/shop-api", "C:\\work\\shop", "", None, "/")] == [
        "shop-api",
        "shop",
        None,
        None,
        None,
    ]
