from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "qwen-code/chat.jsonl"


def test_rows_have_geminis_counts() -> None:
    (request,) = requests(PATH)
    assert tokens(request) == (400, 600, None, None, 130)  # 1000 - 600; 100 + 30
    assert (request.model, request.app, request.conversation) == ("qwen3-coder-plus", "shop", "qs")
    assert [message.text for message in request.messages or []] == ["Fix it"]
    assert not_calls(PATH) == ["metadata"]
    assert rejections(PATH) == [("no_model", "model")]
