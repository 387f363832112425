from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.engines import part_writer, worker
from llm_audit.engines.context import IngestConfig
from llm_audit.sources.files.find import find
from llm_audit.sources.files.parquet import rows
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.split import bundles

TEXTS = st.sampled_from(["Why is the sky blue at noon?", 'Warum \u2028\n\t"so"?', "[redacted]", "yes", "", "x\x00y"])
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "odd", None]), "content": TEXTS | st.none()}
)
COUNTS = st.none() | st.sampled_from([0, 7, 10, -1, 2**63 - 1])
COLUMNS = {
    "timestamp": (pa.string(), st.sampled_from(["2026-09-01T10:00:00Z", "2026-02-30T00:00:00Z", "", None])),
    "request_id": (pa.string(), st.sampled_from(["req-0001", "req-0002", "chatcmpl-1", None])),
    "model": (pa.string(), st.sampled_from(["gpt-4o", "gpt-4o", "m\u00f6del", "", None])),
    "messages": (
        pa.list_(pa.struct([("role", pa.string()), ("content", pa.large_string())])),
        st.none() | st.lists(MESSAGE | st.none(), max_size=3),
    ),
    "usage": (
        pa.struct([("prompt_tokens", pa.int64()), ("completion_tokens", pa.int64())]),
        st.none() | st.fixed_dictionaries({"prompt_tokens": COUNTS, "completion_tokens": COUNTS}),
    ),
    "latency_ms": (pa.float64(), st.sampled_from([None, 12.0, 0.25, -1.0, 1e16])),
    "status": (pa.int16(), st.sampled_from([200, 200, 404, 99, None])),
    "stream": (pa.bool_(), st.sampled_from([True, False, None])),
    "user": (pa.string(), st.sampled_from(["ann", None])),
}  # fmt: skip
PLAIN = {
    "timestamp": "2026-09-01T10:00:00Z",
    "request_id": "req-0001",
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "Why is the sky blue at noon?"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    "latency_ms": 12.5,
    "status": 200,
    "stream": False,
    "user": "ann",
}
CHANGES = st.lists(st.sampled_from(sorted(COLUMNS)), max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: COLUMNS[name][1] for name in names})
)
SCHEMA = pa.schema([(name, kind) for name, (kind, _) in COLUMNS.items()])


def ledger_of(path: Path, *, as_lines: bool) -> tuple[pa.Table | None, list[worker.ShardTally]]:
    """Return the rows of a Parquet file and what else is counted, with or without JSON lines in between."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        if not as_lines:
            patched.setattr(rows, "has_json_form", lambda _: False)
        found = find([path], spool=Path(folder))
        [bundle] = bundles(found.sources, all_formats())
        target = Path(folder, "part")
        task = worker.Task(bundle=bundle, config=IngestConfig(), run="test", work_key="", target=target)
        part = worker.process(task)
        return pq.read_table(part.file) if part.file else None, part.shards


@settings(max_examples=15, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=30), st.booleans())
def test_lines_and_rows_give_the_same_ledger(changes, packed) -> None:
    records = [PLAIN, PLAIN, *(PLAIN | change for change in changes), PLAIN]
    with TemporaryDirectory() as folder:
        path = Path(folder, "log.parquet")
        pq.write_table(pa.Table.from_pylist(records, SCHEMA), path, row_group_size=9, use_dictionary=packed)
        table, tallies = ledger_of(path, as_lines=True)
        expected, counted = ledger_of(path, as_lines=False)
    assert tallies == counted
    assert table == expected


@pytest.mark.parametrize("nullable", [(), ("user",), ("user", "latency_ms"), ("user", "latency_ms", "timestamp")])
def test_compiled_code_reads_most_rows(tmp_path: Path, monkeypatch, nullable) -> None:
    if not part_writer.COMPILED:
        pytest.skip("built without a C compiler")
    taken, take = [], part_writer.PartWriter.take

    def spied(self, *arguments):
        start, lines = take(self, *arguments)
        taken.append(lines)
        return start, lines

    monkeypatch.setattr(part_writer.PartWriter, "take", spied)
    path = tmp_path / "log.parquet"
    records = [
        PLAIN | {name: None for bit, name in enumerate(nullable) if row >> bit & 1} | {"request_id": f"req-{row:04}"}
        for row in range(600)
    ]
    pq.write_table(pa.Table.from_pylist(records, SCHEMA), path)
    table, [tally] = ledger_of(path, as_lines=True)
    assert table is not None
    assert (table.num_rows, tally.entries, tally.formats) == (600, 600, {"flat": 600})
    assert table["line"].to_pylist() == list(range(1, 601))
    assert table == ledger_of(path, as_lines=False)[0]
    assert sum(taken) > (590 if len(nullable) < 3 else 240)
