import random

import pytest

from llm_audit.sources.records.messages import read_messages
from llm_audit.sources.records.parts import text_of

PARTS = (
    "a text",
    "",
    {"type": "text", "text": "of a part"},
    {"type": "text", "text": "cached", "cache_control": {"type": "ephemeral"}},
    {"type": "text", "content": "of OpenTelemetry"},
    {"type": "text", "text": "", "content": "behind an empty text"},
    {"type": "text", "text": 0, "content": "behind a number"},
    {"type": "text", "text": {"value": "of an assistant"}, "annotations": []},
    {"type": "text", "text": ""},
    {"type": "text", "image": {}},
    {"type": "text", "text": "a thought", "thought": True},
    {"type": "text", "text": "beside data", "inlineData": {"mimeType": "audio/wav"}},
    {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "found"}]},
    {"type": "thinking", "thinking": "hm"},
    None,
    7,
)


@pytest.mark.parametrize("seed", range(60))
def test_content_that_is_texts_alone_reads_as_any_content_does(seed: int) -> None:
    chance = random.Random(seed)
    content = [chance.choice(PARTS[: chance.choice((5, 17))]) for _ in range(chance.randrange(4))]
    turn = {"role": chance.choice(["user", "assistant", "model", "tool", ""]), "content": content}
    expected = read_messages([{**turn, "content": tuple(content)}])  # which only the general reader takes
    assert read_messages([turn]) == expected
    joined = text_of(content)
    assert joined is None or (expected is not None and joined == expected[0].text)


def test_texts_are_joined_by_lines_and_anything_else_is_no_text() -> None:
    assert text_of([PARTS[0], PARTS[2], PARTS[4]]) == "a text\nof a part\nof OpenTelemetry"
    assert [text_of(content) for content in ([PARTS[10]], [PARTS[12]], {"text": "a"}, None)] == [None] * 4
