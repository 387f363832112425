import datetime as dt
import random
from decimal import Decimal

import pytest
from tests.audit.rhythm.uses import Use, daily, period, sums

from llm_audit.audit.options import AuditOptions
from llm_audit.audit.rhythm.departures import departure_findings, departures
from llm_audit.audit.rhythm.detect import detect

MONDAY = dt.date(2026, 9, 7)
OPTIONS = AuditOptions()
WEEK = [1000, 1100, 1050, 1000, 900, 200, 150]
DAYS = [day % 7 for day in range(120)]


def noisy(rng: random.Random, days: int, *, spread: float = 0.1) -> list[float]:
    return [WEEK[day % 7] * max(0.1, rng.gauss(1, spread)) for day in range(days)]


@pytest.mark.parametrize("days", [21, 35, 90])
def test_a_rhythm_with_noise_alone_seldom_departs(days: int) -> None:
    rng = random.Random(days)
    assert sum(bool(detect(DAYS[:days], noisy(rng, days))) for _ in range(200)) <= 10


@pytest.mark.parametrize("days", [21, 35, 90])
@pytest.mark.parametrize("factor", [2.5, 0.1])
def test_a_day_apart_is_found(days: int, factor: float) -> None:
    rng = random.Random(days)
    found = 0
    for _ in range(100):
        spend = noisy(rng, days)
        at = rng.choice([day for day in range(days) if DAYS[day] < 5])
        spend[at] *= factor
        found += [one.days for one in detect(DAYS[:days], spend)] == [(at,)]
    assert found >= (85 if days > 21 else 75)


def test_a_weekend_like_a_workday_is_apart_and_a_workday_is_not() -> None:
    spend = [float(amount) for amount in WEEK * 5]
    spend[19] = 1000.0  # a Saturday
    (found,) = detect(DAYS[:35], spend)
    assert (found.kind, found.days) == ("spike", (19,))


@pytest.mark.parametrize("days", [28, 60])
def test_a_shift_of_level_is_found_where_it_begins(days: int) -> None:
    rng = random.Random(days)
    near = 0
    for _ in range(100):
        at = rng.randrange(10, days - 9)
        spend = [amount * (1.6 if day >= at else 1) for day, amount in enumerate(noisy(rng, days))]
        shifts = [one for one in detect(DAYS[:days], spend) if one.kind == "shift"]
        near += len(shifts) == 1 and abs(shifts[0].days[0] - at) <= 2
    assert near >= 85


def test_the_cause_of_a_spike_adds_up_and_names_who() -> None:
    uses = daily(MONDAY, WEEK * 4)
    at = MONDAY + dt.timedelta(days=16)  # a Wednesday, of 1,050 cents for 10 requests of 100 tokens
    ordinary = [use for use in uses if use.date != at]
    spike = [
        Use(date=at, cents=1050),
        # An app that is new: 40 dollars.
        Use(date=at, cents=4000, requests=4, tokens=500, team="lab", app="crawler", model="o3"),
    ]
    frame = sums([*ordinary, *spike])
    (found,) = departures(frame, period(MONDAY, 28), options=OPTIONS)
    assert (found.kind, found.start, found.end, found.days) == ("spike", str(at), str(at), 1)
    assert (found.cost, found.usual_cost, found.amount) == ("50.50", "10.50", "40.00")
    assert [(part.name, part.amount) for part in found.parts] == [
        ("requests", "40.00"),
        ("model_mix", "0.00"),
        ("tokens_per_request", "0.00"),
        ("price", "0.00"),
    ]
    assert [(one.team, one.app, one.model, one.amount) for one in found.owners] == [("lab", "crawler", "o3", "40.00")]
    (finding,) = departure_findings([found], frame)
    assert finding.kind == "spike"
    assert finding.title == f"Spend was $40.00 above its weekly rhythm on {at}"
    assert "Most of it: app crawler of team lab on o3 +$40.00." in finding.detail
    assert finding.requests == 14


def test_parts_of_one_app_are_told_apart() -> None:
    """Twice the requests, half of them on a model at three times the cost, and half as many tokens again a request."""
    flat = daily(MONDAY, [1000] * 28, requests=100, tokens=10_000)
    at = MONDAY + dt.timedelta(days=16)
    spike = [
        Use(date=at, cents=1500, requests=100, tokens=15_000),
        Use(date=at, cents=3000, requests=100, tokens=10_000, model="o3"),
    ]
    (found,) = departures(sums([*(use for use in flat if use.date != at), *spike]), period(MONDAY, 28), options=OPTIONS)
    parts = {part.name: Decimal(part.amount) for part in found.parts}
    # 200 requests at 10 cents: +10; half of them at 30 cents instead of 10: +20; 5 more dollars of tokens.
    assert parts == {"requests": 10, "model_mix": 20, "tokens_per_request": 5, "price": 0}
    assert found.amount == "35.00"


def test_a_shift_is_against_the_same_days_of_the_week() -> None:
    uses = daily(MONDAY, [*(WEEK * 2), *(2 * amount for amount in WEEK * 2)])
    (found,) = departures(sums(uses), period(MONDAY, 28), options=OPTIONS)
    assert (found.kind, found.start, found.days) == ("shift", str(MONDAY + dt.timedelta(days=14)), 14)
    assert (found.usual_cost, found.amount) == ("108.00", "108.00")
    assert {part.name: part.amount for part in found.parts}["price"] == "108.00"  # as many requests and tokens


def test_amounts_add_up_exactly_whatever_the_log_holds() -> None:
    rng = random.Random(3)
    for _ in range(20):
        uses = [
            Use(
                date=MONDAY + dt.timedelta(days=day),
                cents=rng.randrange(1, 2000) * (9 if day in {17, 18} else 1),
                requests=rng.randrange(1, 50),
                tokens=rng.randrange(0, 9000),
                team=rng.choice(["a", "b", None]),
                app=rng.choice(["x", "y", None]),
                model=rng.choice(["m", "n", "o"]),
            )
            for day in range(30)
            for _ in range(8)
        ]
        for found in departures(sums(uses), period(MONDAY, 30), options=OPTIONS):
            amount = Decimal(found.amount)
            assert Decimal(found.cost) - Decimal(found.usual_cost) == amount
            assert sum(Decimal(part.amount) for part in found.parts) == amount
            assert sum(Decimal(owner.amount) for owner in found.owners) == amount


def test_a_short_log_has_no_departures() -> None:
    assert departures(sums(daily(MONDAY, [100, 100, 900, 100])), period(MONDAY, 4), options=OPTIONS) == []


def test_a_fall_is_a_drop_and_not_one_with_the_spike_beside_it() -> None:
    spend = [float(amount) for amount in WEEK * 5]
    spend[16], spend[17] = 100.0, 3000.0  # a Wednesday and the Thursday after it
    found = detect(DAYS[:35], spend)
    assert [(one.kind, one.days) for one in found] == [("drop", (16,)), ("spike", (17,))]


def test_a_drop_is_called_so_in_the_document_and_its_finding() -> None:
    at = MONDAY + dt.timedelta(days=16)
    uses = [Use(date=at, cents=50, requests=1) if use.date == at else use for use in daily(MONDAY, WEEK * 4)]
    frame = sums(uses)
    (found,) = departures(frame, period(MONDAY, 28), options=OPTIONS)
    assert (found.kind, found.amount) == ("drop", "-10.00")
    (finding,) = departure_findings([found], frame)
    assert finding.kind == "drop"
    assert finding.title == f"Spend was $10.00 below its weekly rhythm on {at}"
