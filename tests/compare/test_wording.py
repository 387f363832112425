"""Figures of gates as words: no exponent, and cents in full."""

import pytest

from llm_audit.compare.wording import about, show


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0.5, "$0.50"),
        (0.0045, "$0.0045"),
        (0.00001, "$0.00001"),
        (1.5e-7, "$0.00000015"),
        (0.999999, "$1.00"),
        (0, "$0.00"),
    ],
)
def test_an_amount_below_a_dollar_is_written_in_full(amount: float, written: str) -> None:
    assert show(amount, "USD") == written


@pytest.mark.parametrize(
    ("change", "unit", "written"),
    [(-0.00001, "USD", "-$0.00001"), (1_234_000, "count", "+1,200,000"), (0.1, "percent", "+10%"), (0, "USD", "+$0")],
)
def test_a_change_of_which_two_digits_are_known_has_no_exponent(change: float, unit: str, written: str) -> None:
    assert about(change, unit) == written
