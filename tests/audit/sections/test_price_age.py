from datetime import UTC, date, datetime

import pytest

from llm_audit.audit.sections.price_age import old_prices
from llm_audit.pricing import PriceBook

CHECKED = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("day", "old"), [(date(2026, 9, 1), False), (date(2027, 1, 22), False), (date(2027, 1, 23), True)]
)
def test_prices_are_old_61_days_after_they_were_checked(day: date, old: bool) -> None:
    found = old_prices(datetime(day.year, day.month, day.day, 12, tzinfo=UTC), CHECKED)
    assert bool(found) is old
    assert all("61 days before the last request" in text and "pip install --upgrade" in text for text in found)


def test_nothing_is_said_where_a_date_is_not_known() -> None:
    assert old_prices(None, CHECKED) == old_prices(datetime(2030, 1, 1, tzinfo=UTC), None) == []


def test_the_table_says_when_it_was_checked_unless_it_is_another_or_the_user_prices(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert PriceBook().checked == CHECKED
    own = tmp_path_factory.mktemp("prices") / "prices.toml"
    own.write_text('[[price]]\nprovider = "openai"\nmodel = "gpt-5"\ninput = 1.0\noutput = 2.0\n')
    assert PriceBook(user_files=[own]).checked is None
    monkeypatch.setattr("llm_audit.pricing.book.metadata.version", lambda _: "9.9.9")
    assert PriceBook().checked is None
