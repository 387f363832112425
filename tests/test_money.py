from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.money import pico, usd


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0.00"),
        (10**12, "1.00"),
        (1, "0.000000000001"),
        (-1_230_000_000_000, "-1.23"),
        (10**25, "10000000000000.00"),
    ],
)
def test_amounts_are_plain_decimals(amount: int, text: str) -> None:
    assert usd(amount) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.1, 10**11), ("1e-7", 100_000), (3, 3 * 10**12), ("", None), ("n/a", None), (float("inf"), None), (1e30, None)],
)
def test_reading_keeps_the_unknown_unknown(value: float | str, expected: int | None) -> None:
    assert pico(value) == expected


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_writing_and_reading_are_inverse(amount: int) -> None:
    assert pico(usd(amount)) == amount
    assert Decimal(usd(amount)) * 10**12 == amount
