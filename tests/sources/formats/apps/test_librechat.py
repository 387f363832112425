from tests.sources.formats.fixture_files import entries, not_calls, once, rejections, requests, tokens

from llm_audit.sources.entry import Rejected

PATH = "librechat/transactions.jsonl"


def test_a_prompt_and_its_completion_are_one_call() -> None:
    claude, gpt, alone = once_fullest()
    assert tokens(claude) == (100, 20000, 5000, None, 200)  # 25,000 cached exceed 100: they come on top
    assert tokens(gpt) == (1000, None, None, None, 50)
    assert tokens(alone) == (70, None, None, None, None)  # its completion is not in the file


def test_credits_are_millionths_of_a_dollar() -> None:
    assert [request.stated_cost_pico for request in once_fullest()] == [28_050_000_000, 3_000_000_000, 175_000_000]


def test_time_and_attribution_are_the_prompts() -> None:
    claude = once_fullest()[0]
    assert (claude.time_us, claude.conversation, claude.tags) == (1_793_613_601_000_000, "c1", ("context=message",))
    assert claude.user == "65f000000000000000000001"


def test_credits_are_no_calls_and_messages_hold_no_billed_tokens() -> None:
    assert not_calls(PATH) == ["metadata"]
    assert rejections(PATH) == [("no_model", "model"), ("bad_shape", "tokenCount")]
    assert "export the transactions" in [entry.note for entry in entries(PATH) if isinstance(entry, Rejected)][1]


def once_fullest():
    return once(requests(PATH))
