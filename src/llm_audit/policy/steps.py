"""The steps an agent adds on smaller models: one tool loop is paid for as often as it runs."""

from __future__ import annotations

import numpy as np
import polars as pl

from llm_audit.policy.models import Bools, Ints


def extra_step_cost(group: pl.Series, *, agent_step: Bools, moved: Bools, cost: Ints, extra_steps: float) -> Ints:
    """What the steps added by moved steps cost, laid on the moved steps of each trace.

    A trace whose n agent steps cost C under the policy, m of them moved, takes ``extra_steps`` x m further steps at
    the mean cost C / n. With 80 % of the steps moved and 0.98 extra steps each, 28 steps become 50: TwinRouterBench's
    SR-KNN.

    Args:
        group: The trace (or conversation) of each request; null is a trace of its own.
        agent_step: Whether the request is a step of a tool loop.
        moved: Whether the policy moves it.
        cost: What it costs under the policy, before extra steps, in pico-dollars.
        extra_steps: Steps added for each step moved.

    Returns:
        Pico-dollars to add to each request, 0 for all that are not moved agent steps.
    """
    rows = np.flatnonzero(agent_step)
    extra = np.zeros(len(cost), dtype=np.int64)
    if not extra_steps or not moved[rows].any():
        return extra
    steps = pl.DataFrame({"group": group.gather(rows), "row": rows, "cost": cost[rows]})
    trace = pl.coalesce("group", pl.col("row").hash(seed=0)) if steps["group"].null_count() else pl.col("group")
    mean = steps.select(pl.col("cost").mean().over(trace)).to_series().to_numpy()
    extra[rows] = np.where(moved[rows], np.rint(mean * extra_steps), 0).astype(np.int64)
    return extra
