from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.audit.build import ledger, many

from llm_audit.audit import rows as module
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.rows import Rows
from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.pricing import PRICED_BY, PriceBook


def of(folder, frame, **options):
    return Rows(ledger=ledger(folder, frame), options=AuditOptions(**options), catalog=Catalog.load(), book=PriceBook())


def test_pieces_are_the_whole_in_its_order(tmp_path, monkeypatch):
    rows = of(tmp_path, many(500), since="2026-09-05", until="2026-09-20")
    whole = pl.concat(rows.priced())
    monkeypatch.setattr(module, "PIECE", 70)
    assert len(list(rows.priced())) > 1
    assert_frame_equal(pl.concat(rows.priced()), whole)
    assert_frame_equal(rows.columns(["request_key"]).collect(), whole.select("request_key"))


def test_rows_in_memory_are_those_of_the_files(tmp_path):
    frame = many(60).with_columns(time=pl.when(pl.int_range(60) > 4).then("time"))
    for options in ({"group_by": ("tag:team", "status")}, {"since": "2026-09-05", "until": "2026-09-20"}):
        rows = of(tmp_path / str(len(options)), frame, **options)
        held, count = rows.held([*PRICED_BY, "request_key"])
        read = rows.columns(["request_key"]).collect()
        assert count == read.height > 0
        assert_frame_equal(held.columns(["request_key"]).collect(), read)
        assert_frame_equal(pl.concat(held.priced(PRICED_BY)), pl.concat(rows.priced(PRICED_BY)))
        assert held.times is not None
        assert held.times.undated == 5


def test_a_tag_to_group_by_is_a_column(tmp_path):
    frame = many(3).with_columns(tags=pl.Series(["a=1,team=x", "team=y", None]).cast(pl.Categorical))
    rows = of(tmp_path, frame, group_by=("tag:team", "status"))
    [piece] = rows.priced(PRICED_BY)
    assert piece["tag:team"].to_list() == ["x", "y", None]
    assert "status" in piece.columns


def test_a_column_that_is_not_there_is_refused_with_what_was_meant(tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'team'"):
        next(of(tmp_path, many(3), group_by=("taem",)).priced())
    with pytest.raises(
        UsageError, match=r"no column 'nope' to group by\. Give tag:KEY .* such as .*model, .*language, stakes\."
    ):
        next(of(tmp_path, many(3), group_by=("nope",)).priced())


def test_requests_without_a_time_are_priced_at_the_last_of_their_file(tmp_path):
    frame = many(6)
    undated = frame.with_columns(time=pl.when(pl.int_range(6) > 0).then("time"))
    rows = of(tmp_path, undated)
    [piece] = rows.priced(PRICED_BY)
    assert piece["time"].null_count() == 1
    assert piece["cost_pico"].null_count() == 0
    assert "priced_at" not in piece.columns
    assert rows.book.undated_at == undated["time"].max()
