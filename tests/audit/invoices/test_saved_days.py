"""Costs of a saved audit by day and provider are those of its requests."""

import json

import msgspec
import pytest
from tests.report import build

from llm_audit import analyze
from llm_audit.api import catalog as catalog_of
from llm_audit.audit.invoices.saved_days import days_of
from llm_audit.config import Config
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


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"currency": "EUR"}, "is in EUR"),
        ({"period": "Europe/Berlin"}, "days of Europe/Berlin"),
        ({"model_mix_daily": None}, "version before 2.3"),
        ({"price_rows": "user file"}, "priced with price files"),
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
    with pytest.raises(UsageError, match=said):
        days_of(msgspec.structs.replace(document, **{name: value}), catalog=catalog_of(Config()))
