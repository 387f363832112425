"""Top lists and metrics of users, tags, conversations and traces: they merge, and caps change no total."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from tests.audit.build import assumed, catalog, ledger, rows

from llm_audit.audit.aggregate.spenders import add_spenders, spender_sums
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.pseudonyms import pseudonymize
from llm_audit.audit.run import run
from llm_audit.document.audit import Document
from llm_audit.ledger import Ledger
from llm_audit.policy import traffic_of, with_models
from llm_audit.pricing import PriceBook, price

EACH = Decimal("0.0045")  # 1,000 input tokens at $2.50 and 200 output tokens at $10 a million


def audited(held: Ledger) -> Document:
    options = AuditOptions(resamples=20)
    return run(held, policy=assumed(), catalog=catalog(), book=PriceBook(), options=options).document


def document(tmp_path, *given: dict[str, Any]) -> Document:
    return audited(ledger(tmp_path, rows(*given)))


def test_users_and_tags_are_listed_by_cost(tmp_path):
    found = document(
        tmp_path,
        *({"user": "ann", "tags": "beta,customer=acme", "conversation": number} for number in range(3)),
        {"user": "bob", "tags": "customer=zeta"},
        {"tags": "customer=acme"},
        {"user": "bob", "model": "unknown-model"},
    )
    ann, bob = found.spenders["user"]
    # 5 priced requests of $0.0045 cost $0.0225: ann has 3 of them, bob 1 and one without a price.
    assert (ann.name, ann.requests, Decimal(ann.cost or 0), ann.cost_share) == ("ann", 3, 3 * EACH, 0.6)
    assert (bob.name, bob.requests, Decimal(bob.cost or 0), bob.unpriced_requests) == ("bob", 2, EACH, 1)
    acme, zeta = found.spenders["tag:customer"]
    assert (acme.name, acme.requests, acme.cost_share) == ("acme", 4, 0.8)
    assert (zeta.name, zeta.requests, zeta.cost_share) == ("zeta", 1, 0.2)
    assert set(found.spenders) == {"user", "tag:customer", "conversation"}
    assert [row.name for row in found.spenders["conversation"]] == [f"{number:016x}" for number in (0, 1, 2)]


def test_the_twenty_largest_are_apart_and_the_others_together(tmp_path):
    # User n sends n requests, each a conversation and a trace of its own: 325 of 25 users.
    given = [{"user": f"u{n:02}", "conversation": n, "trace": n} for n in range(1, 26) for _ in range(n)]
    found = document(tmp_path, *given)
    for kind in ("user", "conversation", "trace"):
        listed = found.spenders[kind]
        assert [row.requests for row in listed] == [*range(25, 5, -1), 15]
        assert (listed[-1].name, listed[-1].others) == (None, 5)
        assert sum(Decimal(row.cost or 0) for row in listed) == 325 * EACH == Decimal(found.cost.actual)


def test_a_session_names_its_apps_and_models(tmp_path):
    given = [
        {"trace": 1, "app": "agent", "model": "gpt-4o-mini"},
        {"trace": 1, "app": "agent", "model": "gpt-4o"},
        {"trace": 1, "app": None, "model": "gpt-4o"},
        *({"trace": number} for number in range(2, 24)),
    ]
    first, *_, others = document(tmp_path, *given).spenders["trace"]
    assert (first.name, first.apps, first.models) == (f"{1:016x}", ["agent"], ["gpt-4o", "gpt-4o-mini"])
    assert (others.name, others.others, others.apps, others.models) == (None, 3, [], [])


def test_metrics_of_users_and_tags_have_the_errors_of_their_conversations(tmp_path):
    # ann's two conversations cost 3 and 1 requests: a total's error is the root of the sum of their squares.
    given = [
        *({"user": "ann", "tags": "customer=acme", "conversation": 1} for _ in range(3)),
        {"user": "ann", "tags": "customer=acme", "conversation": 2},
    ]
    metrics = {metric.name: metric for metric in document(tmp_path, *given).metrics}
    for selector in ("user=ann", "tag:customer=acme"):
        total = metrics[f"total_cost[{selector}]"]
        assert total.value == pytest.approx(float(4 * EACH))
        assert total.stderr == pytest.approx(float(EACH) * math.hypot(3, 1))
        assert (total.requests, total.clusters) == (4, 2)
        assert metrics[f"cost_per_request[{selector}]"].value == pytest.approx(float(EACH))
        assert metrics[f"cost_per_request[{selector}]"].stderr == 0  # both conversations cost the same a request


def test_pseudonyms_stay_pseudonyms(tmp_path):
    held = ledger(tmp_path, rows({"user": "ann", "tags": "user=ann"}, {"user": "bob"}))
    found = audited(pseudonymize(held, ["user"], "a key of sixteen characters"))
    names = [row.name or "" for kind in ("user", "tag:user") for row in found.spenders[kind]]
    assert len(names) == 3
    assert all(name.startswith("user-") for name in names)
    assert not any("ann" in metric.name for metric in found.metrics)


def test_sums_of_parts_are_those_of_the_whole_in_any_order():
    frame = rows(
        *(
            {
                "user": f"u{number % 7}",
                "tags": f"customer=c{number % 5}",
                "conversation": number % 45,
                "trace": number % 45 // 3,
            }
            for number in range(200)
        )
    )
    priced = with_models(price(frame, PriceBook()), catalog())

    def sums(part: pl.DataFrame):
        requests = traffic_of(part, catalog()).requests
        number = part.select(pl.col("conversation").rank("dense").cast(pl.Int32) - 1).to_series().to_numpy()
        return spender_sums(part.lazy().select, requests, number)

    whole = add_spenders([sums(priced)])
    for parts in (2, 5):
        pieces = [priced.filter(pl.col("trace") % parts == part) for part in range(parts)]
        for order in (pieces, pieces[::-1]):
            merged = add_spenders([sums(piece) for piece in order])
            assert merged.names.equals(whole.names)
            assert merged.ids.sort("kind", "name").equals(whole.ids.sort("kind", "name"))
    assert whole.ids["requests"].sum() == 400
