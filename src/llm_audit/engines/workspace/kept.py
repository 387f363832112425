"""The state of a ledger that is kept up to date: what it was made of, so that an update reads only what is new."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from llm_audit.engines.workspace.parts import PARTS, entry_name, kept_part
from llm_audit.engines.workspace.plan import Plan
from llm_audit.errors import UsageError
from llm_audit.files import PRIVATE, lock
from llm_audit.ledger.parts import LedgerPart
from llm_audit.ledger.shared.folder import SharedFolder, open_folder, read_sealed, write_sealed
from llm_audit.ledger.store import STAGED, is_ledger

STATE = "update.json"
"""Name of its file."""
_LOCK = ".update.lock"
_OWN = {STATE, _LOCK, PARTS.rstrip("/"), STAGED}


class KeptState(msgspec.Struct, frozen=True, kw_only=True):
    """What a kept ledger is made of.

    Attributes:
        plan: All inputs and the shards of each part, those of inputs that are no longer there included.
        given: The paths of the last update.
        sha256: SHA-256 of the files on this machine that were read in ranges, by name.
        young: Names of files changed so recently that they may change again within their time's resolution.
        missing: Names of the inputs that are not among the logs of the last update.
        written: Whether the ledger in the folder is that of this plan.
    """

    plan: Plan
    given: tuple[str, ...]
    sha256: dict[str, str]
    young: frozenset[str]
    missing: tuple[str, ...]
    written: bool = False


class KeptParts(msgspec.Struct, frozen=True):
    """A state with its parts: None for one that is missing or damaged."""

    state: KeptState
    parts: tuple[LedgerPart | None, ...]


@contextmanager
def locked(folder: Path) -> Iterator[SharedFolder]:
    """Yield the folder of a kept ledger, which no other process changes meanwhile.

    Raises:
        UsageError: Another one does, or the folder holds something else.
    """
    shared = open_folder(str(folder))
    try:
        if is_strange(folder):
            what = "a ledger that was saved without --update" if is_ledger(folder) else "other files"
            raise UsageError(f"{folder} holds {what}. Give --ledger a folder of its own.")
        handle = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, PRIVATE)
    except OSError as error:
        raise UsageError(f"Cannot write to {folder}: {error.strerror}. Choose another folder.") from None
    try:
        if not lock(handle):
            raise UsageError(f"Another run is updating {folder}. Wait until it has ended.")
        yield shared
    finally:
        os.close(handle)


def is_strange(folder: Path) -> bool:
    """Return whether a folder holds files, but is none of a kept ledger."""
    names = {path.name for path in folder.iterdir() if not path.name.startswith(("llm-audit-", f".{STATE}"))}
    return STATE not in names and bool(names - _OWN)


def read_state(folder: SharedFolder) -> KeptState | None:
    """Return the state of a kept ledger; None where there is none.

    Raises:
        UsageError: It is damaged, or was written by another version.
    """
    content = read_sealed(folder, STATE)
    try:
        if content is not None:
            return msgspec.json.decode(content, type=KeptState)
    except msgspec.MsgspecError:
        pass
    if content is None and folder.read(STATE) is None:
        return None
    raise UsageError(
        f"{folder.uri}/{STATE} is damaged or of another version. The ledger there can still be audited: "
        f"llm-audit analyze {folder.uri}. To go on updating, make one in another folder."
    )


def store_state(folder: SharedFolder, state: KeptState) -> None:
    """Keep the state of a ledger, without what is asked of databases.

    Raises:
        UsageError: A name of a file cannot be written.
    """
    kept = msgspec.structs.replace(state, plan=state.plan.without_tables())
    try:
        write_sealed(folder, STATE, msgspec.json.encode(kept))
    except UnicodeEncodeError:
        raise UsageError("The name of a file is not UTF-8, which a kept ledger cannot hold. Rename it.") from None


def kept_parts(folder: SharedFolder, state: KeptState) -> KeptParts:
    """Return a state with those of its parts that are whole."""
    return KeptParts(
        state, tuple(kept_part(folder, state.plan.key(number)) for number in range(len(state.plan.bundles)))
    )


def remove_other_parts(folder: SharedFolder, plan: Plan, parts: tuple[LedgerPart, ...]) -> None:
    """Remove the files of parts that a plan does not name."""
    needed = {entry_name(plan.key(number)) for number in range(len(plan.bundles))}
    needed.update(part.file for part in parts if part.file is not None)
    for name in folder.names(PARTS):
        if name not in needed:
            folder.remove(name)
