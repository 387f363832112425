from tests.sources.formats.fixture_files import not_calls


def test_lines_of_an_input_file_are_no_calls() -> None:
    assert not_calls("openai-batch-input/input.jsonl") == ["metadata"]
