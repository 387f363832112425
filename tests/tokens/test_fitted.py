import polars as pl

from llm_audit.ledger.schema import SCHEMA
from llm_audit.tokens.fitted import MIN_ROWS, add_sums, text_sums
from llm_audit.tokens.fitted import refit as refit_rows
from llm_audit.tokens.fitted import tokens_per_char as fit


def rows(count, **fields):
    return [dict.fromkeys(SCHEMA) | {"model": "house-7b", "usage_source": "reported"} | fields for _ in range(count)]


def ledger(*groups):
    return pl.DataFrame([row for group in groups for row in group], schema=SCHEMA, orient="row")


def tokens_per_char(frame):
    """Fitted over any cut of the rows."""
    return fit(add_sums([text_sums(frame[place::7].lazy()) for place in range(7)]))


def refit(frame):
    return refit_rows(frame, tokens_per_char(frame))


REPORTED = {
    "prompt_chars": 400,
    "input_tokens": 60,
    "cache_read_tokens": 40,
    "completion_chars": 90,
    "output_tokens": 30,
}
ESTIMATED = {
    "usage_source": "estimated", "prompt_chars": 1000, "input_tokens": 220, "completion_chars": 30, "output_tokens": 7,
}  # fmt: skip


def test_a_models_own_rows_say_how_many_tokens_a_character_makes():
    fitted = tokens_per_char(ledger(rows(MIN_ROWS, **REPORTED)))
    assert fitted.rows() == [("house-7b", MIN_ROWS, 0.25, 1 / 3)]


def test_estimates_of_the_same_model_follow_and_nothing_else_changes():
    frame = ledger(rows(MIN_ROWS, **REPORTED), rows(1, **ESTIMATED), rows(1, **ESTIMATED | {"model": "other"}))
    again = refit(frame)
    assert again.schema == frame.schema
    assert again[MIN_ROWS].select("input_tokens", "output_tokens", "usage_source").row(0) == (250, 10, "estimated")
    assert again[MIN_ROWS + 1].equals(frame[MIN_ROWS + 1])
    assert again[:MIN_ROWS].equals(frame[:MIN_ROWS])


def test_too_few_rows_pictures_and_hidden_reasoning_teach_nothing():
    assert tokens_per_char(ledger(rows(MIN_ROWS - 1, **REPORTED))).height == 0
    assert tokens_per_char(ledger(rows(MIN_ROWS, **REPORTED, needs_vision=True))).height == 0
    thinking = tokens_per_char(ledger(rows(MIN_ROWS, **REPORTED, reasoning_tokens=500)))
    assert thinking["output_per_char"].to_list() == [None]


def test_image_tokens_of_an_estimate_are_kept():
    frame = ledger(rows(MIN_ROWS, **REPORTED), rows(1, **ESTIMATED | {"image_input_tokens": 765}))
    assert refit(frame)["input_tokens"][-1] == 250 + 765
