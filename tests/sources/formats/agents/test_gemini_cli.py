from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

LINES, WHOLE = "gemini-cli/session.jsonl", "gemini-cli/session.json"


def test_thoughts_and_tool_prompts_come_on_top() -> None:
    (request,) = requests(LINES)
    assert tokens(request) == (3020, 6000, None, None, 750)  # 9000 + 20 - 6000; 50 + 700
    assert (request.usage.reasoning_tokens, request.model) == (700, "gemini-2.5-pro")
    assert (request.conversation, request.merge_key) == ("s9", "gemini-cli:m2|gemini-2.5-pro|ok")
    assert rejections(LINES) == [("no_model", "model")]
    assert not_calls(LINES) == ["metadata"] * 4  # header, question, reply before its counts, update


def test_a_whole_session_holds_the_same_call() -> None:
    (whole,) = requests(WHOLE)
    (line,) = requests(LINES)
    assert (whole.usage, whole.merge_key, whole.messages) == (line.usage, line.merge_key, line.messages)
    assert [message.text for message in whole.messages or []] == ["Fix it"]
    assert not_calls(WHOLE) == ["metadata"]
