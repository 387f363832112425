"""A warning where the log goes on long after the price table was last checked."""

from __future__ import annotations

from datetime import date, datetime

OLD_DAYS = 60


def old_prices(last: datetime | None, checked: date | None) -> list[str]:
    """Return the warning, or none.

    Args:
        last: The time of the last request.
        checked: The day on which the price table was last checked; None where that is not known.
    """
    if last is None or checked is None or (days := (last.date() - checked).days) <= OLD_DAYS:
        return []
    text = (
        f"The price table was checked on {checked}, {days} days before the last request: prices may have changed. "
        "Renew it with `pip install --upgrade llm-audit genai-prices`, or give a price file of your own with --prices."
    )
    return [text]
