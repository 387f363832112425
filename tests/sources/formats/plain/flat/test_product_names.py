"""Names that products give counts in flat records of their own."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.sources.formats.fixture_files import requests, tokens

APISIX = {
    "time": "2026-10-03T10:00:00Z",
    "llm_model": "gpt-4o",
    "llm_prompt_tokens": "100",
    "llm_completion_tokens": "20",
}
SNOWFLAKE = {
    "START_TIME": "2026-10-03 10:00:00.000 Z",
    "MODEL_NAME": "claude-4-sonnet",
    "TOKENS": 120,
    "TOKENS_GRANULAR": json.dumps({"input": 100, "output": 20}),
}


@pytest.mark.parametrize("record", [APISIX, SNOWFLAKE], ids=["apisix", "snowflake"])
def test_counts_are_read(record: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(json.dumps(record))
    (request,) = requests(tmp_path / "log.jsonl")
    assert (tokens(request), request.usage.unread_counts) == ((100, None, None, None, 20), None)
