import json
import sqlite3
from contextlib import closing

from tests.sources.formats.fixture_files import FIXTURES, requests, tokens

PATH = "simonw-llm/responses.jsonl"


def test_token_details_are_read_by_the_providers_own_names() -> None:
    openai, anthropic, google = requests(PATH)
    assert tokens(openai) == (148, 1152, None, None, 40)  # 1300 - 1152
    assert tokens(anthropic) == (20, 700, 90, None, 6)
    assert (tokens(google), google.usage.reasoning_tokens) == ((100, 400, None, None, 150), 100)


def test_fields() -> None:
    first, second, _ = requests(PATH)
    assert (first.model, first.model_requested) == ("gpt-4o-mini-2024-07-18", "gpt-4o-mini")
    assert (first.conversation, first.max_output_tokens, first.latency_ms) == ("01j0", 300, 2100.0)
    assert [message.role for message in first.messages or []] == ["system", "user"]
    assert (second.needs_json_schema, second.conversation) == (True, first.conversation)


def test_a_database_says_the_same_as_its_rows(tmp_path) -> None:
    rows = [json.loads(line) for line in (FIXTURES / PATH).read_text().splitlines()]
    path = tmp_path / "logs.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE TABLE responses ({', '.join(rows[0])})")
        marks = ", ".join("?" for _ in rows[0])
        database.executemany(f"INSERT INTO responses VALUES ({marks})", [tuple(row.values()) for row in rows])
        database.commit()
    assert requests(path) == requests(PATH)
