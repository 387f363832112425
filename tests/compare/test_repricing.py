from pathlib import Path

import msgspec
import pytest
from tests.audit.documents import document, row

from llm_audit.compare.comparison import compare
from llm_audit.compare.repricing import reprice
from llm_audit.errors import IncompleteError
from llm_audit.pricing import PriceBook


def test_sums_are_charged_at_the_other_tables_rates(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\ninput = 5.0\noutput = 20.0\n')
    # A million tokens cost $2.50 when the baseline was made; the policy would have paid a fifth of it.
    base = document(basis=[row("gpt-4o", 10, "2.50", policy="0.50", tokens=1_000_000)], prices="old")
    head = document(basis=[row("gpt-4o", 10, "5.00", policy="1.00", tokens=1_000_000)], prices="new")
    book = PriceBook(user_files=[own])
    found = compare(base, head, reprice=lambda rows: reprice(rows, book))
    assert (found.base.cost, found.head.cost, found.change) == ("5.00", "5.00", "0.00")
    assert found.base.flagship_tax == "4.00"
    assert "priced again" in found.notes[0]


def test_the_same_table_gives_the_same_amounts() -> None:
    rows = [row("gpt-4o", 10, "2.50", tokens=1_000_000), row("gpt-4o-mini", 1, "0.15", tokens=1_000_000)]
    rows.append(msgspec.structs.replace(rows[0], cost_by_type={"input": "2.50", "per_call": "0.03"}))
    assert reprice(rows, PriceBook()) == rows


def test_a_model_the_table_lacks_is_named() -> None:
    with pytest.raises(IncompleteError, match="openai/acme-13b"):
        reprice([row("acme-13b", 1, "1.00")], PriceBook())
