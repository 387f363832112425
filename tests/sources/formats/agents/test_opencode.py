from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "opencode/messages.jsonl"


def test_counts_are_disjoint_and_reasoning_comes_on_top() -> None:
    request = requests(PATH)[0]
    assert tokens(request) == (638, 42944, 100, None, 350)  # 300 + 50 of reasoning
    assert (request.usage.reasoning_tokens, request.stated_cost_pico) == (50, 20_400_000_000)
    assert (request.model, request.provider, request.app) == ("claude-sonnet-4-5", "anthropic", "shop")
    assert (request.time_us, request.latency_ms, request.conversation) == (1_793_613_600_000_000, 5000.0, "ses_1")


def test_a_total_without_the_reasoning_makes_it_a_part_of_the_output() -> None:
    request = requests(PATH)[1]
    assert tokens(request) == (600, 0, 0, None, 500)  # 1100 = 600 + 500
    assert (request.usage.reasoning_tokens, request.status) == (200, "error")


def test_questions_and_parts_are_no_calls() -> None:
    assert not_calls(PATH) == ["metadata", "metadata"]
    assert rejections(PATH) == [("no_model", "modelID")]


def test_an_exported_session_holds_the_same_call() -> None:
    assert requests("opencode/export.json")[:1] == requests(PATH)[:1]


def test_each_step_of_a_message_is_a_call() -> None:
    first, last = requests("opencode/export.json")[1:]
    assert (tokens(first), first.stated_cost_pico) == ((700, 0, 0, None, 20), 20_000_000_000)
    assert (tokens(last), last.stated_cost_pico) == ((500, 500, 0, None, 15), 10_000_000_000)  # 1015 counts reasoning
    assert first.merge_key != last.merge_key
