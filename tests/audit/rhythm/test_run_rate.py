import datetime as dt
import math
import random
from decimal import Decimal

import polars as pl
import pytest
from tests.audit.rhythm.uses import CENT, Use, daily, period, sums

from llm_audit.audit.options import AuditOptions
from llm_audit.audit.rhythm.days import daily_spend
from llm_audit.audit.rhythm.run_rate import monthly_saving, rate_days, run_rate
from llm_audit.audit.rhythm.weekly import fit, student
from llm_audit.money import usd

MONDAY = dt.date(2026, 9, 7)
OPTIONS = AuditOptions()
WEEK = [1000] * 5 + [200] * 2  # cents: $54 a week


def test_a_steady_rhythm_is_projected_exactly() -> None:
    frame = sums(daily(MONDAY, WEEK * 3, saved_cents=100))
    found = run_rate(frame, period(MONDAY, 21), options=OPTIONS)
    assert found.reason is None
    assert (found.whole_days, found.rhythm) == (21, "day_of_week")
    assert found.by_weekday == ["10.00"] * 5 + ["2.00"] * 2
    assert found.monthly is not None
    # 365.25 / 12 / 7 weeks of $54, and no error without noise.
    assert Decimal(found.monthly.amount) == pytest.approx(Decimal(54 * 365.25 / 84), abs=Decimal("1e-9"))
    assert found.monthly.low == found.monthly.amount == found.monthly.high
    assert found.annual is not None
    assert float(found.annual.amount) == pytest.approx(54 * 365.25 / 7)
    assert float(found.tax_monthly or 0) == pytest.approx(1.0 * 365.25 / 12)
    # September: 7 to 27 are known ($162), 1 to 6 (Tuesday to Sunday) and 28 to 30 (from a Monday) are not.
    assert found.month_end is not None
    assert (found.month_end.month, found.month_end.spent, found.month_end.expected_days) == ("2026-09", "162.00", 9)
    assert found.month_end.amount == "236.00"  # 162 + 4 · 10 + 2 · 2 + 3 · 10


def test_days_cut_off_are_left_out_unless_the_period_is_bounded() -> None:
    frame = sums(daily(MONDAY, [500, *WEEK[1:], *WEEK, 300]))
    cut = period(MONDAY, 15, start="09:00:00", end="11:00:00")
    assert run_rate(frame, cut, options=OPTIONS).whole_days == 13
    bounded = AuditOptions(since="2026-09-07", until="2026-09-22T00:00:00+00:00")
    assert run_rate(frame, cut, options=bounded).whole_days == 15
    # A bound elsewhere says nothing about the first day.
    assert run_rate(frame, cut, options=AuditOptions(since="2026-01-01")).whole_days == 13
    month = run_rate(frame, cut, options=OPTIONS).month_end
    assert month is not None
    assert month.spent == "106.00"  # 5 of a Monday cut off, 4 · 10 + 2 · 2, a week of 54, and 3 of a Monday cut off
    # 13 whole days ($98), 2 Mondays at $10, and 15 further days of September: 11 workdays and 4 of weekends.
    assert (month.expected_days, month.amount) == (17, "236.00")


def test_a_short_log_is_unknown_with_its_reason() -> None:
    found = run_rate(sums(daily(MONDAY, WEEK)), period(MONDAY, 7, end="17:00:00"), options=OPTIONS)
    assert found.monthly is found.month_end is found.tax_monthly is None
    assert found.reason == "the log has 6 whole days, and 7 are needed"
    unpriced = run_rate(sums([Use(date=MONDAY, cents=None)]), period(MONDAY, 1), options=OPTIONS)
    assert unpriced.reason == "no request has a price"
    undated = sums([Use(date=None, cents=5)])
    nothing = period(MONDAY, 1)
    assert run_rate(undated, nothing, options=OPTIONS).reason is not None


def test_a_day_without_requests_is_a_day_without_spend() -> None:
    uses = daily(MONDAY, WEEK * 4)
    gone = [use for use in uses if use.date is None or use.date.weekday() < 5]  # nobody works at weekends
    found = run_rate(
        sums([*gone, Use(date=MONDAY + dt.timedelta(days=27), cents=1)]), period(MONDAY, 28), options=OPTIONS
    )
    assert found.whole_days == 28
    assert found.by_weekday[5] == "0.00"


def test_sums_of_two_halves_give_the_same() -> None:
    rng = random.Random(1)
    uses = daily(MONDAY, [rng.randrange(500, 900) for _ in range(28)])
    halves, whole = pl.concat([sums(uses[::2]), sums(uses[1::2])]), sums(uses)
    assert run_rate(halves, period(MONDAY, 28), options=OPTIONS) == run_rate(whole, period(MONDAY, 28), options=OPTIONS)


@pytest.mark.parametrize(("days", "alike"), [(10, 0.0), (28, 0.0), (28, 0.3), (90, 0.5)])
def test_the_interval_holds_what_the_next_month_costs(days: int, alike: float) -> None:
    """The 90 % interval of the next 30 days holds their cost in about 90 % of worlds, also of errors that are alike."""
    rng = random.Random(20260907)
    rhythm = [100, 110, 105, 100, 90, 20, 15]
    held = 0
    worlds = 600
    for _ in range(worlds):
        error, series = 0.0, []
        for day in range(days + 30):
            error = alike * error + math.sqrt(1 - alike * alike) * rng.gauss(0, 12)
            series.append(rhythm[day % 7] + error)
        model = fit([day % 7 for day in range(days)], series[:days])
        ahead = [sum(1 for day in range(days, days + 30) if day % 7 == weekday) for weekday in range(7)]
        off = abs(sum(series[days:]) - model.expected(ahead))
        held += off <= model.margin(ahead, confidence=0.9)
    assert 0.84 <= held / worlds <= 0.98


@pytest.mark.parametrize(("freedom", "value"), [(5, 2.0150), (7, 1.8946), (21, 1.7207), (60, 1.6706)])
def test_quantiles_of_student_are_those_of_tables(freedom: int, value: float) -> None:
    assert student(0.95, freedom) == pytest.approx(value, abs=0.002)


def test_the_run_rate_is_that_of_the_level_since_the_last_shift() -> None:
    uses = daily(MONDAY, [*(WEEK * 4), *(2 * amount for amount in WEEK * 2)])
    found = run_rate(sums(uses), period(MONDAY, 42), options=OPTIONS)
    assert (found.first_day, found.whole_days) == ("2026-10-05", 14)
    assert found.monthly is not None
    assert float(found.monthly.amount) == pytest.approx(108 * 365.25 / 84)
    # Whole days before the shift are as they were: $24 from 1 October (a Thursday), $216 of two weeks to 18 October,
    # and at the new level a week ($108) and 26 to 31 October, Monday to Saturday ($104).
    assert found.month_end is not None
    assert (found.month_end.amount, found.month_end.expected_days) == ("452.00", 13)


def test_savings_of_parts_a_month_add_up_to_the_tax_a_month() -> None:
    # Two apps over two whole weeks: 10 and 4 cents saved on each day, for 365.25 / 12 days.
    uses = [
        Use(date=MONDAY + dt.timedelta(days=day), cents=100, app=app, saved_cents=saved)
        for day in range(14)
        for app, saved in (("a", 10), ("b", 4))
    ]
    frame, spans = sums(uses), period(MONDAY, 14)
    days = rate_days(frame, spans, OPTIONS)
    assert days is not None
    parts = [
        monthly_saving(daily_spend(frame.filter(pl.col("app") == app)), days, options=OPTIONS) for app in ("a", "b")
    ]
    assert parts == [10 * CENT * 36525 // 1200, 4 * CENT * 36525 // 1200]
    assert run_rate(frame, spans, options=OPTIONS).tax_monthly == usd(sum(parts))


def test_a_log_of_fewer_than_seven_days_has_no_saving_a_month() -> None:
    assert rate_days(sums(daily(MONDAY, [100] * 6)), period(MONDAY, 6), OPTIONS) is None


def test_a_sample_is_scaled_to_all_traffic() -> None:
    uses = daily(MONDAY, WEEK * 3, saved_cents=100)
    frame, span = sums(uses), period(MONDAY, 21)
    whole = run_rate(frame, span, options=OPTIONS)
    options = AuditOptions(sampling_rate=0.0025)
    found = run_rate(frame, span, options=options)
    assert found.by_weekday == ["4000.00"] * 5 + ["800.00"] * 2
    assert whole.monthly is not None
    assert found.monthly is not None
    assert float(found.monthly.amount) == pytest.approx(400 * float(whole.monthly.amount))
    assert float(found.tax_monthly or 0) == pytest.approx(400 * float(whole.tax_monthly or 0))
    assert found.month_end is not None
    assert (found.month_end.spent, found.month_end.amount) == ("64800.00", "94400.00")  # 400 times $162 and $236
    days = rate_days(frame, span, options)
    assert days is not None
    assert monthly_saving(daily_spend(frame), days, options=options) == round(float(found.tax_monthly or 0) * 1e12)


def test_a_sampled_month_ends_no_lower_than_what_is_logged_of_it() -> None:
    frame, span = sums(daily(MONDAY, [100] * 14)), period(MONDAY, 14)
    options = AuditOptions(sampling_rate=0.0025)
    found = run_rate(frame, span, options=options, conversation_pico=10**6 * CENT).month_end
    assert found is not None
    assert float(found.spent) > 0
    assert float(found.low) == float(found.spent) / 400


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_the_interval_of_a_sampled_month_holds_what_it_cost(rate: float) -> None:
    """Of a whole month the sampling alone is unsure: its 90 % interval holds the cost in about 90 % of samples."""
    rng = random.Random(20261127)
    days, held, worlds = 30, 0, 300
    first = dt.date(2026, 9, 1)
    conversations = [(rng.randrange(days), round(math.exp(rng.gauss(3, 1)))) for _ in range(3_000)]
    whole = sum(cents for _, cents in conversations)
    for _ in range(worlds):
        logged = [one for one in conversations if rng.random() < rate]
        cents = [0] * days
        for day, amount in logged:
            cents[day] += amount
        mean = sum(amount * amount for _, amount in logged) / sum(amount for _, amount in logged)
        found = run_rate(
            sums(daily(first, cents)),
            period(first, days),
            options=AuditOptions(sampling_rate=rate),
            conversation_pico=mean * CENT,
        ).month_end
        assert found is not None
        held += float(found.low) <= whole / 100 <= float(found.high)
    assert 0.85 <= held / worlds <= 0.95
