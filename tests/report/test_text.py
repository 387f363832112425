import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.report import text


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("0.00", "$0"),
        ("0.000000000001", "$0.0000000000010"),
        ("0.0994", "$0.099"),
        ("0.0996", "$0.10"),
        ("0.000998", "$0.0010"),
        ("0.995", "$1.00"),
        ("1.005", "$1.01"),
        ("999.994", "$999.99"),
        ("999.995", "$1,000"),
        ("1000.5", "$1,001"),
        ("-51.034", "\u2212$51.03"),
        (None, "unknown"),
    ],
)
def test_money_is_rounded_for_reading(amount: str | None, written: str) -> None:
    assert text.money(amount) == written


def test_other_currencies_are_named() -> None:
    assert text.money("12.5", currency="EUR") == "€12.50"
    assert text.money("12.5", currency="CHF") == "CHF 12.50"
    assert text.exact("1234567.000000000001", currency="CHF") == "CHF 1,234,567.000000000001"


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=12))
def test_rounded_money_is_within_half_of_its_last_digit(amount: Decimal) -> None:
    written = text.money(f"{amount:f}").replace("\u2212", "-").replace("$", "").replace(",", "")
    last = Decimal(1).scaleb(int(Decimal(written).as_tuple().exponent))
    assert abs(Decimal(written) - amount) <= last / 2


@pytest.mark.parametrize(
    ("fraction", "written"),
    [(0.0, "0.0%"), (1.0, "100.0%"), (0.99999, "99.9%"), (0.00004, "0.004%"), (1e-9, "<0.001%"), (-0.05, "\u22125.0%")],
)
def test_a_share_that_is_not_none_or_all_does_not_read_so(fraction: float, written: str) -> None:
    assert text.share(fraction) == written


@given(st.text())
def test_plain_text_has_nothing_that_acts_on_a_terminal(name: str) -> None:
    shown = text.plain(name)
    assert all(unicodedata.category(char)[0] not in "CZ" or char == " " for char in shown)


@given(st.text(st.characters(min_codepoint=0, max_codepoint=0x2FFF), max_size=8), st.text(max_size=8))
def test_different_short_names_look_different_unless_they_spell_an_escape(a: str, b: str) -> None:
    if a != b and "\\" not in a + b:
        assert text.plain(a) != text.plain(b)


def test_a_long_name_keeps_both_ends_and_says_how_long_it_was() -> None:
    shown = text.plain("a" * 500_000 + "z" * 500_000)
    assert shown.startswith("aaa")
    assert shown.endswith("zzz (1,000,000 characters)")
    assert len(shown) < 120
