from tests.sources.formats.fixture_files import not_calls, rejections, requests, tokens

PATH = "cursor/usage.csv"


def test_the_four_counts_add_up_to_the_total() -> None:
    request = requests(PATH)[0]
    assert tokens(request) == (1200, 80000, 5000, None, 900)  # 87100
    assert (request.model, request.tags) == ("claude-4.5-sonnet", ("kind=Included",))
    assert (request.time_us, request.stated_cost_pico) == (1_793_613_600_000_000, 120_000_000_000)


def test_where_the_first_input_includes_the_second_the_total_says_so() -> None:
    request = requests(PATH)[1]
    assert tokens(request) == (1200, 80000, 5000, None, 900)  # 6200 + 80000 + 900 = 87100
    assert (request.tags, request.stated_cost_pico) == (("kind=On-Demand", "max-mode"), 130_000_000_000)


def test_counts_that_do_not_add_up_are_refused() -> None:
    assert rejections(PATH) == [("bad_tokens", "Total Tokens"), ("no_model", "Model")]
    assert not_calls(PATH) == ["not_sent"]
