from datetime import date
from decimal import Decimal
from enum import StrEnum

import pytest

from llm_audit.errors import UsageError
from llm_audit.toml_reader import parse_toml


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


def test_values_are_read_by_their_kind_and_defaults_stand_in():
    table = parse_toml(
        'name = "x"\nsize = "large"\nshare = 0.25\ncount = 3\nsince = 2026-01-31\non = true\ndays = ["mon"]\n', file="f"
    )
    assert (table.text("name"), table.text("other", "y")) == ("x", "y")
    assert (table.option("size", Size, Size.SMALL), table.option("none", Size, Size.SMALL)) == (Size.LARGE, Size.SMALL)
    assert (table.number("share", 0, 1), table.number("none", 0, 1)) == (0.25, None)
    assert (table.whole_number("count"), table.whole_number("none")) == (3, None)
    assert (table.day("since"), table.day("none")) == (date(2026, 1, 31), None)
    assert (table.flag("on"), table.flag("off"), table.flag("none", default=True)) == (True, False, True)
    assert (table.options("days", ("mon", "tue")), table.options("none", ("a", "b"))) == (["mon"], ["a", "b"])
    assert table.table("none").values == {}
    assert table.tables("none") == []


def test_exact_numbers_stay_exact():
    table = parse_toml("rate = 0.1\n", file="f", parse_float=Decimal)
    assert table.decimal("rate", 0, 1) == Decimal("0.1")


@pytest.mark.parametrize(
    ("read", "line", "words"),
    [
        (lambda t: t.check_keys(("name", "price", "limits")), 3, "unknown key 'nmae'. Did you mean 'name'?"),
        (lambda t: t.text("nmae"), 3, "text in quotes"),
        (lambda t: t.table("nmae"), 3, "headed [nmae]"),
        (lambda t: t.tables("limits"), 9, "headed [[limits]]"),
        (lambda t: t.tables("price")[1].required_number("input", 0, 1), 8, "2, which is out of range"),
        (lambda t: t.tables("price")[0].required_number("input", 0, 1), 6, "without quotes"),
        (lambda t: t.tables("price")[0].required_number("output", 0, 1), 5, "output is missing"),
        (lambda t: t.table("limits").table("rate").flag("low"), 10, "true or false"),
        (lambda t: t.table("limits").check_keys(("rate",)), 11, "unknown key 'low' in [limits]"),
        (lambda t: t.table("limits").table("deep").number("x", 0, 1), 14, "a number from 0 to 1"),
        (lambda t: t.table("limits").number("huge", 0, 1), 12, "out of range"),
    ],
)
def test_a_mistake_is_reported_at_its_line_with_the_remedy(read, line, words):
    text = (
        "# a comment\n\nnmae = 1\n\n[[price]]\ninput = '1'\n[[price]]\ninput = 2\n"
        f"[limits]\nrate = {{ low = 1 }}\nlow = 1\nhuge = 1{'0' * 400}\n[limits.deep]\nx = 'y'\n"
    )
    with pytest.raises(UsageError) as caught:
        read(parse_toml(text, file="f.toml"))
    assert str(caught.value).startswith(f"f.toml:{line}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("content", ["a = = 1\n", b"a = '\xff'\n"])
def test_what_is_not_toml_is_reported(content):
    with pytest.raises(UsageError, match=r"f\.toml is not valid TOML"):
        parse_toml(content, file="f.toml")
