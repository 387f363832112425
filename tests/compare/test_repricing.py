from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.audit.documents import document, metric, row

from llm_audit import api
from llm_audit.compare.comparison import compare
from llm_audit.compare.repricing import reprice
from llm_audit.config import Config
from llm_audit.document.audit import BasisRow, Document
from llm_audit.errors import IncompleteError
from llm_audit.pricing import PriceBook

NAMES = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-2024-05-13"),  # dearer than the line
    ("openai", "ft:gpt-4o-mini-2024-07-18:acme::x"),
    ("openai", "gpt-5-search-api"),  # a fee per call
    ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),  # dearer by region
    ("azure", "azure/eu/gpt-4o"),
    ("deepseek", "deepseek-v4-flash"),  # dearer at peak hours
    ("google", "gemini-2.5-pro"),  # dearer above 200,000 tokens
)


def repriced(rows: list[BasisRow], book: PriceBook) -> list[BasisRow]:
    return reprice(document(basis=rows), book, label="base").document.basis


def audited(path: Path, prices: list[Path], *, tier: str = "standard") -> Document:
    """Audit two calls of each name, at many times of the day, without a cache."""
    start = datetime(2026, 9, 1, tzinfo=UTC)
    lines = [
        {
            "timestamp": f"{start + timedelta(hours=5 * number):%Y-%m-%dT%H:%M:%SZ}",
            "provider": provider,
            "model": model,
            "service_tier": tier,
            "prompt": f"Translate the word number {number}.",
            "completion": "mot",
            "input_tokens": size,
            "output_tokens": 100,
        }
        for number, (size, (provider, model)) in enumerate((size, name) for name in NAMES for size in (1_000, 300_000))
    ]
    path.write_bytes(b"\n".join(msgspec.json.encode(line) for line in lines))
    return api.analyze(path, config=Config(prices=tuple(map(str, prices)), cache=False, jobs=1)).document


@pytest.fixture
def unrelated(tmp_path: Path) -> Path:
    file = tmp_path / "unrelated.toml"
    file.write_text('[[price]]\nprovider = "vllm"\nmodel = "house-*"\ninput = 0.1\noutput = 0.4\n')
    return file


@pytest.mark.parametrize("tier", ["standard", "batch"])
def test_a_price_file_about_other_models_changes_nothing(tmp_path: Path, unrelated: Path, tier: str) -> None:
    base = audited(tmp_path / "log.jsonl", [], tier=tier)
    head = audited(tmp_path / "log.jsonl", [unrelated], tier=tier)
    found = api.compare_documents(base, head, config=Config(prices=(str(unrelated),)))
    assert Decimal(found.base.cost) == Decimal(base.cost.actual) == Decimal(head.cost.actual)
    assert (found.change, found.base.flagship_tax) == ("0.00", found.head.flagship_tax)
    assert all(change.base == change.head for change in found.metrics)
    assert len(found.notes) == 1


def test_a_price_that_changes_gives_what_an_audit_of_the_logs_gives(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[[price]]\nmodel = "gpt-4o-2024-05-13"\ninput = 1.0\noutput = 2.0\n'
        '[[price]]\nprovider = "aws"\nmodel = "us.anthropic.*"\ninput = 1.0\noutput = 2.0\n'
        '[[price]]\nmodel = "gemini-2.5-pro"\ncontext_from = 200000\ninput = 9.0\n'
    )
    base, head = audited(tmp_path / "log.jsonl", []), audited(tmp_path / "log.jsonl", [own])
    found = reprice(base, PriceBook([own]), label="base").document
    assert sum(Decimal(amount) for row in found.basis for amount in row.cost_by_type.values()) == Decimal(
        head.cost.actual
    )
    total = {metric.name: metric.value for metric in head.metrics}["total_cost"]
    assert {metric.name: metric.value for metric in found.metrics}["total_cost"] == pytest.approx(total)


def test_of_two_saved_audits_each_is_priced_by_the_settings(tmp_path: Path, unrelated: Path) -> None:
    """The price table of the head's own is not at hand: only its fingerprint is in the document."""
    half = tmp_path / "half.toml"
    half.write_text('[[discount]]\npercent = 50\nrates = ["input", "output"]\n')
    base, head = audited(tmp_path / "log.jsonl", [half]), audited(tmp_path / "log.jsonl", [unrelated])
    found = api.compare_documents(base, head, config=Config(prices=(str(half),)))
    assert Decimal(found.base.cost) == Decimal(base.cost.actual)
    assert Decimal(found.head.cost) == Decimal(base.cost.actual) < Decimal(head.cost.actual)
    assert any("billed per call of gpt-5-search-api is" in note for note in found.notes)


def test_sums_are_charged_at_the_other_tables_rates(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\ninput = 5.0\noutput = 20.0\n')
    # A million tokens cost $2.50 when the baseline was made; the policy would have paid a fifth of it.
    metrics = [
        metric("total_cost", 2.5, 0.5),
        metric("cost_per_request", 0.25, 0.05),
        metric("flagship_tax", 0.8, 0.1, unit="share"),
        metric("flagship_tax_amount[app=app]", 2.0, 0.4),
        metric("tokens_per_request", 100_000, 10, unit="count"),
        metric("total_cost[user=ann]", 2.5, 0.5),
    ]
    base = document(basis=[row("gpt-4o", 10, "2.50", policy="0.50", tokens=1_000_000)], metrics=metrics)
    head = document(basis=[row("gpt-4o", 10, "5.00", policy="1.00", tokens=1_000_000)])
    found = reprice(base, PriceBook(user_files=[own]), label="base")
    compared = compare(found.document, head)
    assert (compared.base.cost, compared.head.cost, compared.change) == ("5.00", "5.00", "0.00")
    assert compared.base.flagship_tax == "4.00"
    # What a rule compares with is at the same prices; of a user there are no sums to price.
    assert {each.name: (each.value, each.stderr) for each in found.document.metrics} == {
        "total_cost": (5.0, 1.0),
        "cost_per_request": (0.5, 0.1),
        "flagship_tax": (0.8, 0.1),
        "flagship_tax_amount[app=app]": (4.0, 0.8),
        "tokens_per_request": (100_000, 10),
    }
    assert "of an earlier version" in found.notes[-1]


def test_a_price_that_changes_within_the_days_of_a_sum_is_said(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('[[price]]\nmodel = "gpt-4o"\nfrom = 2026-09-10\ninput = 5.0\n')
    sums = msgspec.structs.replace(
        row("gpt-4o", 10, "2.50", tokens=1_000_000), last_day="2026-09-20", logged_model="gpt-4o"
    )
    (note,) = reprice(document(basis=[sums]), PriceBook([own]), label="base").notes
    assert "gpt-4o" in note
    assert "noon of the first day" in note
    earlier = msgspec.structs.replace(sums, last_day="2026-09-09")
    assert reprice(document(basis=[earlier]), PriceBook([own]), label="base").notes == []


def test_the_same_table_gives_the_same_amounts() -> None:
    rows = [row("gpt-4o", 10, "2.50", tokens=1_000_000), row("gpt-4o-mini", 1, "0.15", tokens=1_000_000)]
    rows.append(msgspec.structs.replace(rows[0], cost_by_type={"input": "2.50", "per_call": "0.03"}))
    assert repriced(rows, PriceBook()) == rows


def test_a_model_the_table_lacks_is_named() -> None:
    with pytest.raises(IncompleteError, match="openai/acme-13b"):
        repriced([row("acme-13b", 1, "1.00")], PriceBook())
