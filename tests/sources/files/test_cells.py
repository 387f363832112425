"""Numbers and dates of sheets are read one way for a whole file or column, or left as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.sources.files.cells import settled


def read(*rows: dict[str, str]) -> list[dict[str, str]]:
    return [row for _, row in settled((number, dict(row)) for number, row in enumerate(rows)) if isinstance(row, dict)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"input_tokens": "12.000", "output_tokens": "1.500"}], [{"input_tokens": "12000", "output_tokens": "1500"}]),
        ([{"input_tokens": "12.000", "cost": "0,045"}], [{"input_tokens": "12000", "cost": "0.045"}]),
        ([{"input_tokens": "12.000", "cost": "1.234,56"}], [{"input_tokens": "12000", "cost": "1234.56"}]),
        (
            [{"input_tokens": "12,000"}, {"input_tokens": "6,687"}],
            [{"input_tokens": "12000"}, {"input_tokens": "6687"}],
        ),
        ([{"input_tokens": "12.000"}, {"input_tokens": "850"}], [{"input_tokens": "12.000"}, {"input_tokens": "850"}]),
        ([{"input_tokens": "12.000", "cost": "0.5"}], [{"input_tokens": "12.000", "cost": "0.5"}]),
        (
            [{"input_tokens": "2.000"}, {"input_tokens": "1.500"}, {"cost": "0.5"}],  # contradictory
            [{"input_tokens": "2.000"}, {"input_tokens": "1.500"}, {"cost": "0.5"}],
        ),
        (
            [{"timestamp": "02/11/2026 10:00"}, {"timestamp": "13/11/2026 10:00"}],
            [{"timestamp": "2026-11-02 10:00"}, {"timestamp": "2026-11-13 10:00"}],
        ),
        (
            [{"timestamp": "02/11/2026"}, {"timestamp": "02/28/2026"}],
            [{"timestamp": "2026-02-11"}, {"timestamp": "2026-02-28"}],
        ),
        (
            [{"timestamp": "02/11/2026"}, {"prompt": "13/11/2026"}],
            [{"timestamp": "02/11/2026"}, {"prompt": "13/11/2026"}],
        ),
        (
            [{"timestamp": "02/11/2026"}, {"timestamp": "13/11/2026"}, {"timestamp": "11/13/2026"}],
            [{"timestamp": "02/11/2026"}, {"timestamp": "13/11/2026"}, {"timestamp": "11/13/2026"}],
        ),
    ],
)
def test_a_cell_is_read_as_its_column_shows(rows: list[dict[str, str]], expected: list[dict[str, str]]) -> None:
    assert read(*rows) == expected


@given(st.lists(st.integers(0, 10**8), min_size=1), st.sampled_from(".,"))
def test_grouped_counts_come_out_as_they_went_in_or_unchanged(counts: list[int], sign: str) -> None:
    written = [f"{count:,}".replace(",", sign) for count in counts]
    for cell, count, row in zip(written, counts, read(*({"input_tokens": cell} for cell in written)), strict=True):
        assert row["input_tokens"] in {str(count), cell}
    if any(count % 1000 for count in counts if count >= 1000):
        assert [row["input_tokens"] for row in read(*({"input_tokens": cell} for cell in written))] == [
            str(count) for count in counts
        ]


def test_rows_keep_their_order_and_lines() -> None:
    rows = [(number, {"timestamp": f"0{number}/02/2026"}) for number in range(1, 5)]
    found = list(settled([*rows, (9, {"timestamp": "25/02/2026"})]))
    assert [line for line, _ in found] == [1, 2, 3, 4, 9]
    assert [row["timestamp"] for _, row in found if isinstance(row, dict)][:2] == ["2026-02-01", "2026-02-02"]
