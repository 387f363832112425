from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.audit.build import many

from llm_audit.audit.cells import with_date
from llm_audit.audit.partial import merge, summarise
from llm_audit.catalog import Catalog
from llm_audit.policy import load
from llm_audit.policy.route import plan, routed_frame, with_models
from llm_audit.policy.traffic import traffic_of
from llm_audit.pricing import PriceBook, price


def partial(frame):
    book, catalog = PriceBook(), Catalog.load()
    named = with_models(price(frame, book), catalog)
    routes = plan(traffic_of(named, catalog), load("small-by-default"), catalog=catalog, book=book)
    return summarise(with_date(routed_frame(named, routes), timezone="UTC"), routes)


@pytest.mark.parametrize("parts", [2, 3])
def test_the_audits_of_parts_merge_to_the_audit_of_the_whole(parts):
    frame = many(1_200, templates=12)
    part_of = pl.col("template_hash").hash(1) % parts
    pieces = [partial(frame.filter(part_of == number)) for number in range(parts)]
    whole, merged = partial(frame), merge(pieces[::-1])
    assert_frame_equal(merged.cells, whole.cells)
    assert_frame_equal(merged.clusters, whole.clusters)
    assert_frame_equal(merged.risk, whole.risk)
    assert_frame_equal(merged.waste, whole.waste)
    assert merged.concentration == whole.concentration
