"""Metrics of an audit whose sums were priced again: what rules compare is at the same prices as the comparison."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from llm_audit.compare.variance import cost_pico, policy_pico
from llm_audit.document.audit import BasisRow, Metric
from llm_audit.money import PICO_PER_USD

_OF_COST = frozenset({"total_cost", "cost_per_request", "flagship_tax", "flagship_tax_amount", "cost_share"})


def at_costs(metrics: Sequence[Metric], before: Sequence[BasisRow], after: Sequence[BasisRow]) -> list[Metric]:
    """Return metrics at the costs of sums that were priced again, their errors in proportion.

    Those of users and tags, of which there are no sums, are left out.
    """
    found = (_at_cost(metric, before, after) for metric in metrics)
    return [metric for metric in found if metric is not None]


def _at_cost(metric: Metric, before: Sequence[BasisRow], after: Sequence[BasisRow]) -> Metric | None:
    name, _, selector = metric.name.rstrip("]").partition("[")
    if name not in _OF_COST or metric.value is None:
        return metric
    group, _, value = selector.partition("=")
    if group == "user" or group.startswith("tag:"):
        return None
    old, new = (
        _measure(name, rows, [row for row in rows if _is_of(row, name, group, value)]) for rows in (before, after)
    )
    if old == new:
        return metric
    stderr = metric.stderr if metric.stderr is None or not old else metric.stderr * abs(new / old)
    return msgspec.structs.replace(metric, value=new, stderr=stderr)


def _is_of(row: BasisRow, name: str, group: str, value: str) -> bool:
    if name == "cost_share":
        return row.tier == group
    return not group or (row.team if group == "team" else row.app) == value


def _measure(name: str, rows: Sequence[BasisRow], of: Sequence[BasisRow]) -> float:
    """Return a metric of some rows of all; of no cost it is 0, as a share of nothing."""
    cost = sum(map(cost_pico, of))
    tax = cost - sum(map(policy_pico, of))
    part, whole = {
        "total_cost": (cost, PICO_PER_USD),
        "cost_per_request": (cost, PICO_PER_USD * sum(row.requests for row in of)),
        "flagship_tax_amount": (tax, PICO_PER_USD),
        "flagship_tax": (tax, cost),
        "cost_share": (cost, sum(map(cost_pico, rows))),
    }[name]
    return part / whole if whole else 0.0
