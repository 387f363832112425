"""A comparison in reports: its amounts are dollars and add up as shown, or a note says that they do not."""

from decimal import Decimal
from html import unescape

import msgspec
import pytest
from tests.report import build
from tests.report.compared import check as check_result

from llm_audit.audit.currency import convert
from llm_audit.document.comparison import Part
from llm_audit.pricing import parse_currency
from llm_audit.report import registry
from llm_audit.report.interface import Options
from llm_audit.report.rounding import shown
from llm_audit.report.tables import check as tables


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_amounts_are_dollars_whatever_the_audit_shows_and_notes_are_kept(name: str) -> None:
    euros = convert(build.rich(2), parse_currency("EUR=0.5"))
    check = check_result()
    assert check.comparison is not None
    text = unescape(registry.render(euros, name, options=Options(check=check)).decode())
    assert "priced again with the price table" in text
    after = text[text.index("What changed") :]
    assert "$12.40" in after  # of the model mix
    assert "€12.40" not in text


@pytest.mark.parametrize(("cost", "said"), [("137.50", False), ("137.504", True)])
def test_parts_that_do_not_add_up_as_shown_say_so(cost: str, said: bool) -> None:
    comparison = check_result().comparison
    assert comparison is not None
    base = msgspec.structs.replace(comparison.base, cost="100.004", flagship_tax=None)
    head = msgspec.structs.replace(comparison.head, cost=f"{Decimal('100.004') + Decimal(cost)}", flagship_tax=None)
    full = tables.variance(
        msgspec.structs.replace(
            comparison, base=base, head=head, parts=[Part(name="volume", amount=cost)], tax_parts=[]
        )
    )
    amounts = [shown(row[1]) for row in full.rows]
    assert (amounts[0] + amounts[1] != amounts[2]) is said
    assert ("differ from their sums by up to $0.01" in full.note) is said
