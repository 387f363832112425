from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "openai-realtime/events.jsonl"


def test_cached_tokens_are_told_apart_by_text_and_audio() -> None:
    request = requests(PATH)[0]
    usage = request.usage
    assert tokens(request) == (200, 500, None, None, 60)  # 400 - 200 of text; 210 - 150
    assert (usage.audio_input_tokens, usage.audio_output_tokens) == (300, 150)  # 600 - 300
    assert (request.model, request.conversation) == ("gpt-realtime", "conv_1")


def test_a_transcription_is_a_call_of_its_own_model() -> None:
    request = requests(PATH)[1]
    assert (request.model, request.operation) == ("gpt-4o-transcribe", "audio")
    assert (tokens(request), request.usage.audio_input_tokens) == ((10, None, None, None, 10), 28)


def test_before_the_session_is_known_a_response_has_no_model() -> None:
    assert rejections(PATH)[0] == ("no_model", "session.model")
    assert not_calls(PATH) == ["metadata", "metadata"]
