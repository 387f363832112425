"""Steps on an executor, as an assembly and an audit ask for them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from llm_audit.engines.executors import Executor
from llm_audit.engines.executors.calls import map_calls

if TYPE_CHECKING:
    from llm_audit.ledger.shared import Mapper, Step


def over_steps(executor: Executor) -> Mapper:
    """Return a function that does steps on an executor."""
    executor.release()  # what reading the log took up
    return partial(map_calls, executor, label=_label)


def _label(step: Step) -> str:
    return f"the step {step.targets[0]}"
