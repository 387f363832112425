from __future__ import annotations

import polars as pl

from llm_audit.ledger.assembly.keys import OWNER_COLUMNS, links, owners


def test_a_conversation_shares_a_key_with_the_trace_of_its_id_where_it_has_no_trace() -> None:
    rows = pl.DataFrame(
        {"conversation": [7, 8, 9], "trace": [None, 7, 8], "opening_hash": [None, None, None]},
        schema=dict.fromkeys(OWNER_COLUMNS, pl.UInt64),
    )
    owner, has_owner = owners(rows)
    assert has_owner.all()
    sharing = links(rows, owner).group_by("key").agg(pl.col("owner").unique()).filter(pl.col("owner").list.len() > 1)
    assert [set(found) for found in sharing["owner"]] == [{owner[0], owner[1]}]  # 8 has a trace
