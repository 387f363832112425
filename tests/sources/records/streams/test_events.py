import json
import random

import pytest

from llm_audit.sources.records.streams import assemble, events

PIECES = (
    "\n",
    "\n\n",
    "\r\n\r\n",
    "data:",
    "data: ",
    "{",
    "}",
    '"',
    ",",
    '{"a":1},{"b":2}',
    '{"a":',
    "[DONE]",
    "\u2028",
    ": c",
)


def read_one_by_one(body: str) -> list[object]:
    """Return the objects of a stream's events, each decoded by itself."""
    found, data = [], []
    for line in [*body.splitlines(), ""]:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").strip())
        elif not line and data:
            try:
                found.append(json.loads("\n".join(data)))
            except ValueError:
                found.append(None)
            data = []
    return [event for event in found if isinstance(event, dict)]


def test_events_survive_what_surrounds_them() -> None:
    sent = (": ping", 'event: a\r\ndata: {"n": 1}', 'data: {"n":\r\ndata: 2}', "data: [DONE]", 'data: {"n": 3')
    assert events("\r\n\r\n".join(sent)) == [{"n": 1}, {"n": 2}]
    assert assemble([]) == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('data: {"a": 1}\n\ndata: {"b": 2}\n\n', [{"a": 1}, {"b": 2}]),
        (
            'data: {"a": 1},{"b": 2}\n\ndata: {"c": "}\n\ndata: {"}\n\n',
            [],
        ),  # as many objects as events, if run together
        ('data: {"a":{}\n\ndata: {"b":1}}\n\n', []),
        ('data: {"a": 1}\ndata: {"b": 2}\n\ndata: {"c": 3}', [{"c": 3}]),
        ('data: [DONE]\ndata: {"b": 2}\n\ndata: {"c": 3}', [{"c": 3}]),
    ],
)
def test_no_event_runs_into_the_next(body: str, expected: list[object]) -> None:
    assert events(body) == read_one_by_one(body) == expected


@pytest.mark.parametrize("seed", range(100))
def test_damaged_streams_read_as_event_by_event(seed: int) -> None:
    chance = random.Random(seed)
    body = "".join(f'event: e\ndata: {{"n": {number}, "t": "a b"}}\n\n' for number in range(5))
    for _ in range(chance.randrange(1, 5)):
        place = chance.randrange(len(body))
        body = body[:place] + chance.choice(PIECES) + body[place + chance.choice((0, 0, 1, 4)) :]
    assert events(body) == read_one_by_one(body)
