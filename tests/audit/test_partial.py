from __future__ import annotations

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.audit.build import ledger, many

from llm_audit.audit import rows
from llm_audit.audit.aggregate.calls import read_calls
from llm_audit.audit.aggregate.cells import with_date
from llm_audit.audit.partial import merge, summarise, waste_inputs
from llm_audit.audit.run import AuditOptions, run
from llm_audit.catalog import Catalog
from llm_audit.policy import load, plan, routed_costs, with_models
from llm_audit.policy.counterfactual.traffic import traffic_of
from llm_audit.policy.inputs import blocks
from llm_audit.pricing import PriceBook, price


def partial(frame):
    book, catalog = PriceBook(), Catalog.load()
    named = with_models(price(frame, book), catalog)
    routes = plan(traffic_of(named, catalog), load("small-by-default"), catalog=catalog, book=book)
    measured = with_date(routed_costs(routes).columns(named, slice(None)), timezone="UTC")
    written = named["cost_cache_write_5m_pico"] + named["cost_cache_write_1h_pico"]
    calls = read_calls(
        named.lazy().select,
        output_cost=named["cost_output_pico"].fill_null(0).to_numpy(),
        write_cost=written.fill_null(0).to_numpy(),
    )
    return summarise([measured], waste_inputs(routes, calls), rates=book.rates)


@pytest.mark.parametrize("parts", [2, 3])
def test_the_audits_of_parts_merge_to_the_audit_of_the_whole(parts):
    frame = many(1_200, templates=12)
    part_of = pl.col("template_hash").hash(1) % parts
    pieces = [partial(frame.filter(part_of == number)) for number in range(parts)]
    whole, merged = partial(frame), merge(pieces[::-1])
    assert_same(merged, whole)


def assert_same(one, other):
    for name in ("cells", "clusters", "risk", "basis"):
        assert_frame_equal(getattr(one.sums, name), getattr(other.sums, name))
    assert one.sums.counts.sum().row(0) == other.sums.counts.sum().row(0)
    assert_frame_equal(one.waste, other.waste)
    assert one.concentration == other.concentration


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**16), piece=st.integers(40, 400), conversations=st.integers(5, 200))
def test_pieces_and_blocks_of_any_size_give_the_document_of_the_whole(tmp_path_factory, seed, piece, conversations):
    folder = tmp_path_factory.mktemp("ledger")
    held = ledger(folder, many(400, seed=seed, conversations=conversations, templates=7))

    def audited():
        return run(
            held,
            policy=load("small-by-default"),
            catalog=Catalog.load(),
            book=PriceBook(),
            options=AuditOptions(resamples=5, group_by=("status",)),
        )

    whole = audited()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "PIECE", piece)
        patch.setattr(blocks, "BLOCK", piece // 3)
        parts = audited()
    assert msgspec.json.encode(parts.document) == msgspec.json.encode(whole.document)
    assert_frame_equal(parts.requests, whole.requests)
