"""What is made once and kept as files: for the stages of an audit, and for audits of the same ledger by other policies.

A partition's requests, read and priced, sums of what was used, and the survey of the log do not depend on a policy; the
first routes do. A file that is missing or damaged is no failure: what it held is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from llm_audit.audit.freed_memory import give_back
from llm_audit.audit.parts import Job, Log, Reading, read_part
from llm_audit.audit.stages.results import read_result, write_result
from llm_audit.audit.standing import StandingSums
from llm_audit.audit.survey import Survey
from llm_audit.audit.waste.recurring import Habits
from llm_audit.ledger.shared import DamagedError, SharedFolder, read_sealed
from llm_audit.policy import FirstRoutes, models_of

T = TypeVar("T")

BYTES_A_REQUEST = 80
"""What is kept of a request for any policy takes about so much."""


def surveyed(folder: SharedFolder | None, make: Callable[[], Survey | None]) -> Survey | None:
    """Return the survey of the whole log, which is made where none is kept."""
    return _kept(folder, "survey-whole", make)


def habits(folder: SharedFolder | None, make: Callable[[], Habits]) -> Habits:
    """Return what waste depends on of the whole log, which is worked out where it is not kept."""
    return _kept(folder, "habits-whole", make)


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
    known = rows, models_of(job.catalog)
    return _kept(folder, f"reading-{partition:06d}", lambda: read_part(job, log, rows), known)


def standing(folder: SharedFolder | None, partition: int, make: Callable[[], StandingSums]) -> StandingSums:
    """Return the sums of a partition that no policy changes, which are made where none are kept."""
    return _kept(folder, _standing(partition), make)


def has_standing(folder: SharedFolder | None, partitions: int) -> bool:
    """Return whether such sums of all partitions are kept, undamaged."""
    return folder is not None and all(
        read_sealed(folder, _standing(number)) is not None for number in range(partitions)
    )


def _kept(folder: SharedFolder | None, name: str, make: Callable[[], T], known: Sequence[object] = ()) -> T:
    """Return what is kept under a name; where nothing is, make and keep it."""
    if folder is None or folder.path is None:
        return make()
    with suppress(DamagedError, OSError):
        found: T = read_result(folder, name, known)
        return found
    found = make()
    with suppress(OSError):  # such as a full disk: whoever asks next makes it again
        write_result(folder, name, found, known)
    return found


def keep_first(folder: SharedFolder, partition: int, routes: FirstRoutes) -> None:
    """Keep the first routes of a partition."""
    if folder.path is not None:
        with suppress(OSError):
            write_result(folder, _first(partition), routes)


def first(folder: SharedFolder, partition: int) -> FirstRoutes | None:
    """Return the first routes of a partition; None where they are not kept."""
    if folder.path is not None:
        with suppress(DamagedError, OSError):
            found: FirstRoutes = read_result(folder, _first(partition))
            return found
    return None


def _standing(partition: int) -> str:
    return f"standing-{partition:06d}"


def _first(partition: int) -> str:
    return f"first-{partition:06d}"
