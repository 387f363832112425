from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.audit.aggregate import cluster_sums as sums
from llm_audit.audit.aggregate.cluster_sums import Figures, FigureSums, cluster_sums

PAIRS = [("cost", "cost"), ("tax", "cost"), ("tax", "all_cost"), ("all_tax", "all_tax")]
VALUES = st.integers(-(2**40), 2**40) | st.integers(-(2**62), 2**62) | st.integers(-3, 3)
REQUESTS = st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 3), VALUES, VALUES), max_size=30)
Request = tuple[int, int, int, int]


def asked(requests: list[Request]) -> dict[int, FigureSums]:
    cluster, group, cost, tax = (np.array(column, dtype=np.int64) for column in zip(*requests, strict=True))
    figures = Figures(names=("cost", "tax"), values=np.column_stack([cost, tax]))
    return cluster_sums(cluster.astype(np.int32), group.astype(np.int32), figures, PAIRS)


def by_hand(requests: list[Request]) -> dict[int, FigureSums]:
    whole: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    held: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for cluster, group, cost, tax in requests:
        for total in (whole[cluster], held[group, cluster]):
            total[0] += cost
            total[1] += tax
    found = {}
    for group in {group for group, _ in held if group >= 0}:
        of = {
            cluster: dict(zip(("cost", "tax"), total, strict=True))
            for (at, cluster), total in held.items()
            if at == group
        }
        for cluster, total in of.items():
            total |= {"all_cost": whole[cluster][0], "all_tax": whole[cluster][1]}
        found[group] = FigureSums(
            clusters=len(of),
            of={name: sum(total[name] for total in of.values()) for name in ("cost", "tax")},
            products={f"{y}*{x}": sum(total[y] * total[x] for total in of.values()) for y, x in PAIRS},
        )
    return found


@settings(deadline=None)
@given(REQUESTS.filter(bool))
def test_compiled_code_polars_and_hand_agree(requests: list[Request]) -> None:
    whole: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for cluster, _, cost, tax in requests:
        whole[cluster][0] += abs(cost)
        whole[cluster][1] += abs(tax)
    if max(max(total) for total in whole.values()) >= 2**63:
        return  # polars wraps
    expected = by_hand(requests)
    assert asked(requests) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "COMPILED", False)
        assert asked(requests) == expected
        patch.setattr(sums, "_EXACT", 0.0)
        assert asked(requests) == expected


def test_a_product_that_leaves_128_bits_is_exact() -> None:
    requests = [(number, 0, 2**62, -(2**62)) for number in range(20)]
    assert asked(requests) == by_hand(requests)


@pytest.mark.skipif(not sums.COMPILED, reason="not compiled")
@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        (0, np.array([-1, 0], np.int32)),
        (0, np.array([0], np.int32)),
        (0, np.array([0.0, 1.0])),
        (1, np.array([0, 1], np.int32)),
        (2, np.zeros((2, 2), np.int32)),
        (2, np.zeros((2, 17), np.int64)),
        (3, np.array([[0, 4]])),
        (4, np.zeros(3, np.int64)),
        (6, np.zeros((1, 2), np.int64)),
    ],
)
def test_columns_that_do_not_fit_are_refused(what: int, wrong: np.ndarray) -> None:
    from llm_audit.audit.aggregate import _sums

    columns = [np.array([0, 1], np.int32), np.zeros(2, np.int32), np.ones((2, 2), np.int64), np.array([[0, 1]])]
    columns += [np.zeros(1, np.int64), np.zeros((1, 2), np.int64), *(np.zeros((1, 1), np.int64) for _ in range(2))]
    assert _sums.add(*columns)
    columns[what] = wrong
    with pytest.raises(ValueError, match="fit|kind"):
        _sums.add(*columns)
