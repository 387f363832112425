import json
from decimal import Decimal

from tests.sources.formats.fixture_files import FIXTURES, entries, not_calls, rejections, requests, tokens

from llm_audit import api
from llm_audit.sources.entry import Rejected

PAGE, LINES, COSTS = (f"openai-usage/{name}" for name in ("page.json", "lines.jsonl", "costs.json"))


def test_a_row_is_as_many_requests_as_it_sums_up() -> None:
    found = [request for request in requests(PAGE) if request.model == "gpt-4o-2024-08-06"]
    assert len(found) == 240
    summed = [sum(count or 0 for count in column) for column in zip(*map(tokens, found), strict=True)]
    assert summed == [200_000, 400_000, 0, 0, 50_000]  # 600,000 - 400,000 cached
    assert {request.time_us for request in found} == {1_793_577_600_000_000}
    assert max(request.usage.input_tokens or 0 for request in found) == 834  # 200,000 = 80 * 834 + 160 * 833
    assert all(request.messages is None and "aggregated" in request.tags for request in found)


def test_every_request_of_a_page_is_read() -> None:
    assert len(requests(PAGE)) == 242
    assert rejections(PAGE) == []
    assert len({request.merge_key for request in requests(PAGE)}) == 242


def test_audio_batch_and_attribution_of_a_bucket_on_a_line() -> None:
    first = requests(LINES)[0]
    assert tokens(first) == (750, 250, 0, None, 30)  # half of 3000 - 500 cached - 1000 audio, and of 100 - 40 audio
    assert (first.usage.audio_input_tokens, first.usage.audio_output_tokens) == (500, 20)
    assert (first.service_tier, first.team, first.user) == ("batch", "proj_a", "user_a")


def test_embeddings_have_no_output() -> None:
    found = [request for request in requests(LINES) if request.operation == "embedding"]
    assert [tokens(request) for request in found] == [(count, None, None, None, 0) for count in (3, 2, 2)]


def test_rows_without_a_model_tokens_or_requests_are_refused_with_a_reason() -> None:
    assert rejections(LINES) == [
        ("no_model", "model"),
        ("bad_shape", "input_tokens"),
        ("bad_tokens", "input_tokens"),
        ("bad_shape", "num_model_requests"),
    ]
    notes = [entry.note for entry in entries(LINES) if isinstance(entry, Rejected)]
    assert "group_by=model" in notes[0]
    assert notes[1].startswith("images is measured")
    assert not_calls(LINES) == ["metadata"]  # no request


def test_costs_are_no_requests() -> None:
    assert rejections(COSTS) == [("bad_shape", "amount")]
    assert [entry.note for entry in entries(COSTS) if isinstance(entry, Rejected)] == [
        "costs without tokens are not audited: hold them against an audit with llm-audit reconcile"
    ]


def test_a_bucket_exported_again_with_more_in_it_has_the_same_keys(tmp_path) -> None:
    row = {"object": "organization.usage.completions.result", "input_tokens": 10, "output_tokens": 5, "model": "gpt-4o"}
    keys = []
    for count, end in ((1, 1_793_581_200), (2, 1_793_581_200), (2, 1_793_584_800)):
        times = {"start_time": 1_793_577_600, "end_time": end}
        bucket = {"object": "bucket", **times, "results": [{**row, "num_model_requests": count}]}
        path = tmp_path / f"{count}-{end}.json"
        path.write_text(json.dumps({"object": "page", "data": [bucket]}), encoding="utf-8")
        keys.append({request.merge_key for request in requests(path)})
    assert keys[0] < keys[1]
    assert keys[1].isdisjoint(keys[2])  # another bucket


def test_a_page_is_priced_to_the_last_token() -> None:
    document = api.analyze(FIXTURES / PAGE).document
    # per million: 200,000 * 2.50 + 400,000 * 1.25 + 50,000 * 10, and 10 * 0.15 + 5 * 0.60
    assert Decimal(document.cost.actual) == Decimal("1.50") + Decimal("0.0000045")
