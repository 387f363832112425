"""The steps an agent adds on smaller models: one tool loop is paid for as often as it runs."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from llm_audit.arrays import Bools, Ints, grouped_sum


class AgentSteps(msgspec.Struct, kw_only=True, frozen=True):
    """The requests that are steps of a tool loop.

    Attributes:
        row: Each step's place in the ledger, ascending.
        trace: A number for its trace.
        length: The steps of each trace.
    """

    row: Ints
    trace: Ints
    length: Ints

    def part(self, wanted: Bools) -> AgentSteps:
        """Return the same for the wanted requests, of which a trace has all its steps or none."""
        some = wanted[self.row]
        return replace(self, row=(np.cumsum(wanted) - 1)[self.row[some]].astype(np.int32), trace=self.trace[some])


def read_steps(group: pl.Series, agent_step: Bools) -> AgentSteps:
    """Number the traces of agent steps.

    Args:
        group: The trace (or conversation) of each request; null is a trace of its own.
        agent_step: Whether the request is a step of a tool loop.
    """
    row = np.flatnonzero(agent_step).astype(np.int32)
    trace = group.gather(row).rank("dense").cast(pl.Int64).to_frame("trace")
    known = pl.col("trace").max().fill_null(0)
    # Those without a trace are numbered after all others.
    lone = known + pl.col("trace").is_null().cum_sum()
    codes = trace.select(pl.coalesce("trace", lone) - 1).to_series().cast(pl.Int32).to_numpy()
    return AgentSteps(row=row, trace=codes, length=np.bincount(codes))


def extra_step_cost(steps: AgentSteps, *, moved: Bools, cost: Ints, extra_steps: float) -> Ints:
    """Return the cost of the steps that moved steps add, allocated to the moved steps of each trace.

    A trace whose n agent steps cost C under the policy, m of them moved, takes ``extra_steps`` x m further steps at
    the mean cost C / n. With 80 % of the steps moved and 0.98 extra steps each, 28 steps become 50: TwinRouterBench's
    SR-KNN.

    Args:
        steps: The steps of tool loops.
        moved: Whether the policy moves each request.
        cost: What each request costs under the policy, before extra steps, in pico-dollars.
        extra_steps: Steps added for each step moved.

    Returns:
        Pico-dollars to add to each step of ``steps``, 0 for all that are not moved.
    """
    there = moved[steps.row]
    if not extra_steps or not there.any():
        return np.zeros(len(steps.row), dtype=np.int64)
    mean = grouped_sum(steps.trace, cost[steps.row], len(steps.length)) / steps.length
    return np.where(there, np.rint(mean * extra_steps)[steps.trace], 0).astype(np.int64)
