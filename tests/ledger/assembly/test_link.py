"""Labels by rounds over buckets are those of a walk over the whole graph."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.ledger.assembly.keys import links, owners, send
from llm_audit.ledger.assembly.layout import Layout
from llm_audit.ledger.assembly.link import LinkStep
from llm_audit.ledger.schema import SCHEMA
from llm_audit.ledger.shared import Step, in_process, open_folder, perform
from llm_audit.ledger.shared.steps import Counts

PAIRS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=40)


def labels(pairs: list[tuple[int, int]], buckets: int, folder: Path) -> dict[int, int]:
    """The stars that rounds of steps make of pairs of a key and its owner."""
    layout, shared = Layout(uri=str(folder), groups=1, buckets=buckets, partitions=buckets), open_folder(str(folder))
    seen = pl.DataFrame(pairs, schema={"key": pl.UInt64, "owner": pl.UInt64}, orient="row")
    send(shared, layout.links, 0, seen, "key")
    before = None
    for number in range(100):
        steps: list[Step] = [LinkStep(layout=layout, number=bucket, round=number) for bucket in range(buckets)]
        counts = sum((outcome.counts for outcome in in_process(perform, steps)), Counts())
        if number % 2 and counts == before:
            break
        before = counts if number % 2 else before
    found: dict[int, int] = {}
    for step in steps:
        if (edges := layout.edges(number - 1).frame(shared, step.number)) is not None:
            found |= dict(edges.rows())
    return found


def walked(pairs: list[tuple[int, int]]) -> dict[int, int]:
    label = {owner: owner for _, owner in pairs}
    for _ in label:
        for key, owner in pairs:
            near = [other for same, other in pairs if same == key]
            label[owner] = min(label[owner], *(label[other] for other in near))
    return {owner: low for owner, low in label.items() if owner != low}


@settings(deadline=None, max_examples=25)
@given(PAIRS, st.integers(1, 5))
def test_labels_are_those_of_a_walk(pairs: list[tuple[int, int]], buckets: int) -> None:
    with TemporaryDirectory() as folder:
        assert labels(pairs, buckets, Path(folder)) == walked(pairs)


def rows(*given: dict[str, int]) -> pl.DataFrame:
    names = ("conversation", "trace", "opening_hash")
    return pl.DataFrame(
        [{name: row.get(name) for name in names} for row in given], schema={n: SCHEMA[n] for n in names}
    )


def test_a_row_is_owned_by_its_conversation_else_its_trace_else_its_opening() -> None:
    given = rows(
        {"conversation": 7, "trace": 7, "opening_hash": 7},
        {"trace": 7, "opening_hash": 7},
        {"opening_hash": 7},
        {},
        {"conversation": 7},
    )
    owner, has_owner = owners(given)
    pairs = links(given, owner)
    assert has_owner.tolist() == [True, True, True, False, True]
    named, traced, opened, _, again = owner.tolist()
    assert again == named
    assert len({named, traced, opened}) == 3  # an equal id of another kind is another owner
    assert sorted(set(pairs.rows())) == sorted([(traced, named), (traced, traced), (opened, traced), (opened, opened)])
    assert pairs["key"].dtype == pl.UInt64
    assert not np.isin(named, pairs["key"].to_numpy())
