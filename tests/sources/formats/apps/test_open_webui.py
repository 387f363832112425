from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "open-webui/chats.json"


def test_a_reply_with_usage_is_a_call() -> None:
    request = requests(PATH)[0]
    assert tokens(request) == (36, 64, None, None, 9)  # 100 - 64
    assert (request.model, request.conversation, request.user) == ("gpt-4o", "chat1", "u1")
    assert [message.text for message in request.messages or []] == ["Hi"]
    assert not_calls(PATH) == ["metadata", "metadata"]
    assert rejections(PATH) == [("no_model", "model")]


def test_a_reply_of_several_calls_counts_all_of_them() -> None:
    assert tokens(requests(PATH)[1]) == (1000, 200, None, None, 50)  # 1200 in all; 700 were the last call's


def test_a_total_that_open_webui_computed_proves_nothing() -> None:
    assert tokens(requests(PATH)[2]) == (500, 300, 100, None, 10)  # Anthropic's cached tokens come on top
