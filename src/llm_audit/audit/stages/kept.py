"""What a stage leaves of a partition for the next ones as files: its requests, read and priced, and their first routes.

A file that is missing or damaged is no failure: what it held is made again.
"""

from __future__ import annotations

from contextlib import suppress

from llm_audit.audit.freed_memory import give_back
from llm_audit.audit.parts import Job, Log, Reading, read_part
from llm_audit.audit.stages.results import read_result, write_result
from llm_audit.ledger.shared import DamagedError, SharedFolder
from llm_audit.policy import Choice, models_of


def reading(job: Job, log: Log, folder: SharedFolder | None, partition: int) -> Reading | None:
    """Return what is kept of every request of a partition; None where it has none of the period.

    Args:
        job: The audit.
        log: What is known of the whole log.
        folder: Where readings are kept. In an object store they are not: sending one takes longer than reading again.
        partition: The partition.
    """
    if job.ledger.partitions > 1:
        give_back()
    rows = job.rows(partition, log.survey.times)
    if folder is None or folder.path is None:
        return read_part(job, log, rows)
    name, known = f"reading-{partition:06d}", (rows, models_of(job.catalog))
    with suppress(DamagedError, OSError):
        found: Reading | None = read_result(folder, name, known)
        return found
    found = read_part(job, log, rows)
    with suppress(OSError):  # such as a full disk: the next stage reads again
        write_result(folder, name, found, known)
    return found


def keep_choice(folder: SharedFolder, partition: int, first: Choice) -> None:
    """Keep the first routes of a partition."""
    if folder.path is not None:
        with suppress(OSError):
            write_result(folder, _choice(partition), first)


def choice(folder: SharedFolder, partition: int) -> Choice | None:
    """Return the first routes of a partition; None where they are not kept."""
    if folder.path is not None:
        with suppress(DamagedError, OSError):
            found: Choice = read_result(folder, _choice(partition))
            return found
    return None


def _choice(partition: int) -> str:
    return f"choice-{partition:06d}"
