from decimal import Decimal

import msgspec
import pytest
from tests.audit.documents import document, earlier, metric, row

from llm_audit.compare.comparison import compare
from llm_audit.errors import IncompleteError


def test_sides_parts_groups_and_what_was_realised() -> None:
    base = document(basis=[row("gpt-4o", 100, "10.00", policy="4.00", tokens=1000)])
    head = document(
        basis=[
            row("gpt-4o", 100, "10.00", policy="4.00", tokens=1000),
            row("gpt-4o-mini", 100, "1.00", policy="1.00", tokens=1000),
        ]
    )
    found = compare(base, head)
    assert (found.base.cost, found.head.cost, found.change) == ("10.00", "11.00", "1.00")
    assert {part.name: part.amount for part in found.parts} == {
        "volume": "10.00",
        "model_mix": "-9.00",
        "tokens_per_request": "0.00",
        "cache": "0.00",
        "price": "0.00",
    }
    assert sum(Decimal(part.amount) for part in found.tax_parts) == 0
    assert [(row.group, row.name, row.change) for row in found.groups] == [
        ("model", "gpt-4o-mini", "1.00"),
        ("model", "gpt-4o", "0.00"),
        ("app", "app", "1.00"),
    ]
    # 200 requests at the base's ten cents would have cost $20; the policy promised $12 of them back, $9 came.
    assert (found.realised, found.estimated) == ("9.00", "12.00")
    assert found.head.flagship_tax_share == pytest.approx(6 / 11, abs=1e-6)


def test_a_tax_of_an_earlier_audit_that_judged_nothing_is_unknown() -> None:
    """Earlier versions wrote the cost as the policy's, and a tax of zero, where nothing could be judged and routed."""
    base, head = (
        earlier(
            msgspec.structs.replace(
                document(
                    basis=[row("gpt-4o", 100, "10.00", policy=policy)], metrics=[metric("flagship_tax", value, 0.0)]
                ),
                policy=msgspec.structs.replace(document().policy, decision="quality_loss"),
                cost=msgspec.structs.replace(document().cost, priced_requests=100),
                flagship_tax=msgspec.structs.replace(document().flagship_tax, covered_share=covered),
            )
        )
        for policy, value, covered in (("10.00", 0.0, 0.0), ("4.00", 0.6, 1.0))
    )
    found = compare(base, head)
    assert (found.base.flagship_tax, found.base.flagship_tax_share, found.head.flagship_tax) == (None, None, "6.00")
    assert (found.tax_parts, found.estimated) == ([], None)
    assert {row.base_flagship_tax for row in found.groups} == {None}
    changes = {change.metric: (change.base, change.head, change.change) for change in found.metrics}
    assert changes["flagship_tax"] == (None, 0.6, None)
    assert compare(head, base).head.flagship_tax is None


def test_another_price_table_is_refused() -> None:
    base = document(basis=[row("m", 1, "1.00")], prices="old")
    head = document(basis=[row("m", 1, "2.00")])
    with pytest.raises(IncompleteError, match="llm-audit analyze logs/"):
        compare(base, head)
    assert compare(head, head, notes=["said"]).notes[0] == "said"


def test_nothing_priced_is_nothing_to_compare() -> None:
    with pytest.raises(IncompleteError, match="no priced requests"):
        compare(document(), document(basis=[row("m", 1, "1.00")]))


@pytest.mark.parametrize(
    ("rates", "note"),
    [
        ((1.0, 1.0), None),
        ((0.01, 0.01), "Both are a sample of 1 request in 100: amounts are those of the logs alone."),
        (
            (1.0, 0.01),
            (
                "baseline has all requests and this audit 1 request in 100, so amounts and their change are not"
                " comparable; shares and figures per request are."
            ),
        ),
    ],
)
def test_samples_are_noted(rates: tuple[float, float], note: str | None) -> None:
    sides = [msgspec.structs.replace(document(basis=[row("m", 1, "1.00")]), sampling_rate=rate) for rate in rates]
    assert compare(*sides).notes == ([] if note is None else [note])
