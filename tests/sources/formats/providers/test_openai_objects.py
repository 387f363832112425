from tests.sources.formats.fixture_files import entries, not_calls, rejections, requests

from llm_audit.sources.entry import Rejected

PATH = "openai-objects/objects.jsonl"


def test_objects_that_name_a_model_are_no_calls() -> None:
    assert requests(PATH) == []
    assert not_calls(PATH) == ["not_a_model_call"] * 3


def test_sums_of_calls_are_rejected_and_say_where_the_calls_are() -> None:
    assert rejections(PATH) == [("bad_shape", "usage"), ("bad_shape", "usage")]
    batch = next(entry for entry in entries(PATH) if isinstance(entry, Rejected))
    assert "output file" in batch.note
