"""Costs of a saved audit by day and provider are those of its requests."""

import json

import msgspec
import pytest
from tests.report import build

from llm_audit import analyze
from llm_audit.api import catalog as catalog_of
from llm_audit.audit.invoices.saved_days import days_of
from llm_audit.config import Config
from llm_audit.document.audit import Billing, BillingPart
from llm_audit.errors import UsageError
from llm_audit.pricing import costs_by_day


@pytest.fixture
def logs(tmp_path):
    """Four requests of two providers: on two days, without a time, and of a model without a price."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 10}
    records = [
        {"model": "gpt-5", "provider": "openai", "timestamp": "2026-09-01T23:59:59Z", **usage, "cost": 0.5},
        {"model": "gpt-5", "provider": "openai", "timestamp": "2026-09-02T00:00:00Z", **usage},
        {"model": "claude-haiku-4-5", "provider": "anthropic", **usage},
        {"model": "acme-1", "provider": "openai", "timestamp": "2026-09-02T00:00:00Z", **usage},
    ]
    file = tmp_path / "log.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def test_they_are_those_of_the_requests(logs):
    audit = analyze(logs, config=Config(cache=False))
    assert audit.document.requests.audited == 4
    catalog = catalog_of(Config())
    ordered = [
        days.select(sorted(days.columns)).sort("day", "provider").rows()
        for days in (days_of(audit.document, catalog=catalog), costs_by_day(audit.requests, catalog=catalog))
    ]
    assert ordered[0] == ordered[1]
    assert len(ordered[0]) == 3


def test_stated_costs_without_a_time_are_unknown_where_requests_without_a_price_may_state_some(tmp_path):
    known = {"model": "gpt-5", "provider": "openai"}
    usage = {"prompt_tokens": 1000, "completion_tokens": 10}
    records = [
        known | {"timestamp": "2026-09-01T10:00:00Z", "cost": 1.0},  # no usage, so no price
        known | {"timestamp": "2026-09-01T10:00:00Z", "cost": 0.5} | usage,
        known | {"cost": 0.25} | usage,
        {"model": "gpt-4.1", "provider": "openai", "cost": 0.125} | usage,
    ]
    file = tmp_path / "log.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    audit = analyze(file, config=Config(cache=False))
    days = days_of(audit.document, catalog=catalog_of(Config())).sort("day", nulls_last=True)
    # Of $0.75 that priced requests of gpt-5 state, and $1.50 on days, nobody can tell the $0.25 apart.
    assert days["stated_pico"].to_list() == [15 * 10**11, None]
    assert days["requests"].to_list() == [2, 2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"currency": "EUR"}, "is in EUR"),
        ({"period": "Europe/Berlin"}, "days of Europe/Berlin"),
        ({"model_mix_daily": None}, "version before 2.3"),
        ({"price_rows": "user file"}, "priced with price files"),
        ({"billing": "subscription"}, "not billed by use"),
    ],
)
def test_an_audit_that_cannot_be_compared_is_refused(change, said):
    document = build.rich(2)
    (name, value), *_ = change.items()
    found = getattr(document, name)
    if name == "period":
        value = msgspec.structs.replace(found, timezone=value)
    elif name == "model_mix_daily":
        value = [msgspec.structs.replace(row, unpriced_requests=None) for row in found]
    elif name == "price_rows":
        value = [msgspec.structs.replace(row, source=value) for row in found]
    elif name == "billing":
        part = BillingPart(requests=1, priced_requests=1, cost="1.00", policy_cost=None, flagship_tax=None, share=None)
        value = Billing(declared=True, months=1.0, rows=[], billed=None, api_equivalent=part)
    with pytest.raises(UsageError, match=said):
        days_of(msgspec.structs.replace(document, **{name: value}), catalog=catalog_of(Config()))
