from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "open-webui/chats.json"


def test_a_reply_with_usage_is_a_call() -> None:
    (request,) = requests(PATH)
    assert tokens(request) == (36, 64, None, None, 9)  # 100 - 64
    assert (request.model, request.conversation, request.user) == ("gpt-4o", "chat1", "u1")
    assert [message.text for message in request.messages or []] == ["Hi"]
    assert not_calls(PATH) == ["metadata", "metadata"]
    assert rejections(PATH) == [("no_model", "model")]
