"""Rows reach their readers in the order of their sources, whatever the number of levels."""

from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.ledger.shared import in_process, open_folder, perform
from llm_audit.ledger.shared.relay import Relay


@settings(deadline=None, max_examples=30)
@given(sources=st.integers(1, 9), readers=st.integers(1, 20), fan=st.integers(2, 6), seed=st.integers(0, 99))
def test_each_reader_gets_its_rows_in_order(sources: int, readers: int, fan: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    with TemporaryDirectory() as uri:
        folder, relay = open_folder(uri), Relay(uri=uri, kind="rows", sources=sources, readers=readers, fan=fan)
        expected: dict[int, list[tuple[int, int, str | None]]] = {reader: [] for reader in range(readers)}
        for source in range(sources):
            to = random.integers(0, readers, random.integers(0, 12))
            words = [None if row % 5 == 4 else f"w{row % 3}" for row in range(len(to))]
            for row, (reader, word) in enumerate(zip(to.tolist(), words, strict=True)):
                expected[reader].append((source, row, word))
            table = pa.table(
                {
                    "source": pa.array(np.full(len(to), source)),
                    "row": pa.array(np.arange(len(to))),
                    "word": pa.array(words, pa.string()).dictionary_encode(),
                }
            )
            relay.write(folder, source, table, to)
        for level in relay.steps():
            in_process(perform, level[::-1])
        for reader in range(readers):
            frame = relay.frame(folder, reader)
            assert ([] if frame is None else frame.rows()) == expected[reader]
            assert frame is None or frame.columns == ["source", "row", "word"]


@pytest.mark.parametrize(
    ("sources", "readers", "levels", "most"),
    [(100, 100, 1, 100), (128, 10**6, 1, 10**6), (10**6, 128, 1, 128), (9_313, 14_286, 2, 128), (10**6, 10**6, 3, 128)],
)
def test_requests_grow_with_files_and_not_with_their_product(
    sources: int, readers: int, levels: int, most: int
) -> None:
    relay = Relay(uri="unused", kind="rows", sources=sources, readers=readers)
    assert relay.levels == levels
    assert relay.ways <= most
    assert relay.ways**levels >= readers
    read = sum(sources * relay.ways for _ in range(1, levels)) + readers * relay.groups(levels - 1)
    assert read <= min(levels * 1.5 * 128 * max(sources, readers), sources * readers)
