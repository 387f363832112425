"""Steps on an executor, as an assembly and an audit ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from llm_audit.engines.executors import Executor, open_executor
from llm_audit.engines.executors.calls import map_calls
from llm_audit.sources.files.limits import SHARD_BYTES

if TYPE_CHECKING:
    from llm_audit.ledger import Ledger
    from llm_audit.ledger.shared import Mapper, Step


STEPS = "steps"
"""The folder of a workspace for what steps exchange."""


def steps_folder(workspace: str | None) -> str | None:
    """Return the address of the folder for what steps exchange in a workspace; None for no workspace."""
    if workspace is None:
        return None
    from llm_audit.ledger.shared import open_folder

    return f"{open_folder(workspace).uri}/{STEPS}"


def over_steps(executor: Executor) -> Mapper:
    """Return a function that does steps on an executor."""
    return partial(map_calls, executor, label=_label)


@contextmanager
def opened_steps(
    ledger: Ledger, *, engine: str, jobs: int, workspace: str | None, executor: Executor | None = None
) -> Iterator[dict[str, Any]]:
    """Yield what an audit of a ledger is given for its steps: ``mapper`` and ``workspace``; nothing of one partition.

    Args:
        ledger: The ledger.
        engine: The name of the engine that runs them.
        jobs: Its processes.
        workspace: The address of the folder that they share; a temporary one by default.
        executor: What runs them instead, opened by the caller.
    """
    if ledger.partitions == 1:
        yield {}
        return
    with ExitStack() as stack:
        run_on = executor or stack.enter_context(open_executor(engine, jobs=jobs))
        run_on.prepare(ledger.partitions * SHARD_BYTES, last=True)
        yield {"mapper": over_steps(run_on), "workspace": steps_folder(workspace)}


def _label(step: Step) -> str:
    return f"the step {step.targets[0]}"
