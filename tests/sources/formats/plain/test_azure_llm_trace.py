import csv

from tests.sources.formats.fixture_files import FIXTURES, requests

AZURE = "azure-llm-trace/AzureLLMInferenceTrace_code.head.csv"


def test_azure_trace_keeps_its_totals_and_times() -> None:
    found = requests(AZURE)
    with (FIXTURES / AZURE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(request.usage.input_tokens or 0 for request in found) == sum(int(row["ContextTokens"]) for row in rows)
    assert (len(found), found[0].usage.input_tokens, found[0].usage.output_tokens) == (19, 4808, 10)
    assert found[0].time_us == 1_700_158_623_979_960  # 2023-11-16 18:17:03.97996 UTC
    assert {(request.model, request.provider, request.messages is None) for request in found} == {
        ("azure-llm-trace", None, True)
    }
