"""Keep a ledger up to date: read what is new or has changed, and make the ledger again of all parts.

Each step leaves what the next update can go on from: parts are found by the hash of what they are made of, the state is
written before new parts are made, and the ledger takes the place of the one before only when it is complete.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llm_audit.engines.context import code_fingerprint, new_run
from llm_audit.engines.executors import Executor
from llm_audit.engines.progress import Progress, bytes_done
from llm_audit.engines.workspace import absent, changes
from llm_audit.engines.workspace.changes import Group, KeptShard, Wanted
from llm_audit.engines.workspace.ingest import merged
from llm_audit.engines.workspace.kept import (
    KeptParts,
    KeptState,
    kept_parts,
    locked,
    read_state,
    remove_other_parts,
    store_state,
)
from llm_audit.engines.workspace.parts import (
    ContentTask,
    HashTask,
    PartTask,
    entry_name,
    hash_file,
    make_part,
    shard_content,
)
from llm_audit.engines.workspace.plan import Plan, Range, find_again
from llm_audit.engines.workspace.regroup import regrouped
from llm_audit.engines.workspace.tables import UpdateOptions, wanted_rows
from llm_audit.errors import AuditWarning, UsageError
from llm_audit.ledger.parts import LedgerPart
from llm_audit.ledger.shared.folder import SharedFolder
from llm_audit.ledger.store import Ledger, finish_replacement, read_ledger, replace_ledger
from llm_audit.sources.databases import Selection, shown
from llm_audit.sources.files.find import Found
from llm_audit.sources.files.storage import Source

if TYPE_CHECKING:
    from llm_audit.engines.context import IngestConfig

_DEFAULTS = UpdateOptions()


def update_ledger(
    folder: Path,
    paths: Sequence[str | Path],
    *,
    config: IngestConfig,
    executor: Executor,
    options: UpdateOptions = _DEFAULTS,
    progress: Progress | None = None,
) -> Ledger:
    """Bring a ledger up to date with its logs, or make it; what it holds of unchanged logs is not read again.

    Args:
        folder: The ledger's folder.
        paths: The logs.
        config: How they are read and judged.
        executor: What runs the work.
        options: What may have changed or gone.
        progress: Called with bytes read and bytes in total.

    Raises:
        UsageError: A path cannot be read or is a table of a lake, or the folder holds something else.
        IncompleteError: There is no entry to read.
    """
    found = readable(paths, folder, query=options.query)
    with locked(folder) as shared:
        finish_replacement(folder)
        before = kept_parts(shared, state) if (state := read_state(shared)) is not None else None
        after, groups = _planned(
            before,
            found,
            given=paths,
            config=config,
            executor=executor,
            options=options,
        )
        unchanged = before is not None and after == before.state and all(group.pieces for group in groups)
        if unchanged and after.written and _is_whole(folder):
            return read_ledger(folder)
        after = msgspec.structs.replace(after, written=False)
        for number, group in enumerate(groups):
            key = after.plan.key(number)
            if group.pieces:
                regrouped(shared, key, group.pieces, before.parts if before else ())
            else:
                shared.remove(entry_name(key))  # of what had the same description and other content
        store_state(shared, after)
        parts = _made(shared, after.plan, executor, progress)
        ledger = merged(shared.uri, after.plan, parts, executor, given=paths, known=after.sha256)
        replace_ledger(ledger, folder)
        store_state(shared, msgspec.structs.replace(after, written=True))
        remove_other_parts(shared, after.plan, parts)
    return read_ledger(folder)


def readable(paths: Sequence[str | Path], folder: Path, *, query: str | None = None) -> Found:
    """List the logs of an update.

    Raises:
        UsageError: They cannot be listed, or are such as an update cannot tell what is new in.
    """
    for path in map(str, paths):
        if folder.resolve().is_relative_to(Path(path).resolve()):
            raise UsageError(f"The ledger {folder} would lie among the logs. Give --ledger a folder outside of them.")
    found = find_again(paths, option="--update", selection=Selection(query=query))
    for source in found.sources:
        if source.lake:
            raise UsageError(
                f"{source.name} belongs to a table whose versions replace its files, in which --update cannot tell "
                "what is new. Read it without --update, and keep it with --save-ledger DIR."
            )
    return found


def _planned(
    before: KeptParts | None,
    found: Found,
    *,
    given: Sequence[str | Path],
    config: IngestConfig,
    executor: Executor,
    options: UpdateOptions,
) -> tuple[KeptState, list[Group]]:
    """Return the state after the update, and the shards of each of its parts with where they come from."""
    all_known = changes.kept_shards(before) if before is not None else {}
    usable = before is not None and _same_reading(before.state, config)
    known = all_known if usable else {}
    young = before.state.young if before is not None else frozenset()
    tables = [source for source in found.sources if source.database]
    files = [source for source in found.sources if not source.database]
    same, changed = changes.split_changed(files, known, young)
    shards = changes.cut_changed(changed, () if config.forced() else config.formats())
    maybe = changes.candidates(shards, known)
    contents = executor.map(shard_content, [ContentTask(shard) for shard, _ in maybe])
    equal = {
        (shard.source.name, shard.start): kept
        for (shard, kept), content in zip(maybe, contents, strict=True)
        if kept.tally is not None and content == kept.tally.content
    }
    wanted = [Wanted(shard, equal.get((shard.source.name, shard.start))) for shard in shards]
    wanted += [Wanted(one.shard, one if one.tally else None) for name in same for one in same[name]]
    rows, lost = wanted_rows(tables, all_known, usable=usable, options=options)
    wanted += rows
    missing: list[str] = []
    if before is not None:
        elsewhere = absent.Elsewhere(before.state, files, changed)
        missing = absent.staying(all_known, elsewhere, found)
        if options.drop_missing:
            missing = [name for name in missing if not absent.is_gone(all_known[name])]
        _check_missing(missing, all_known, usable=usable)
        _warn_of_replaced(absent.replaced(known, elsewhere, changed))
        wanted += [Wanted(one.shard, one) for name in missing for one in all_known[name]]
    groups = changes.grouped(changes.in_order(wanted))
    notes = tuple(sorted({*found.notes, *lost, *absent.note(missing)}))
    plan = _plan(groups, notes, config)
    sha256 = _hashes(plan, {} if before is None else before.state.sha256, {*same, *missing}, executor)
    written = before is not None and before.state.written
    after = KeptState(
        plan=plan,
        given=tuple(shown(str(path)) for path in given),
        sha256=sha256,
        young=changes.young_names(files),
        missing=tuple(missing),
        written=written,
    )
    return after, groups


def _plan(groups: Sequence[Group], notes: tuple[str, ...], config: IngestConfig) -> Plan:
    sources: dict[str, Source] = {}
    for group in groups:
        for shard in group.shards:
            sources.setdefault(shard.source.name, shard.source)
    numbers = {name: number for number, name in enumerate(sources)}
    return Plan(
        code=code_fingerprint(),
        config=config,
        sources=tuple(sources.values()),
        notes=notes,
        bundles=tuple(
            tuple(Range(numbers[shard.source.name], shard.start, shard.end) for shard in group.shards)
            for group in groups
        ),
    )


def _same_reading(state: KeptState, config: IngestConfig) -> bool:
    return state.plan.code == code_fingerprint() and state.plan.config.fingerprint() == config.fingerprint()


def _check_missing(missing: Sequence[str], known: dict[str, list[KeptShard]], *, usable: bool) -> None:
    """Refuse an update that would lose requests of logs that are not there to be read again."""
    if not missing:
        return
    lost = [name for name in missing if not usable or any(one.tally is None for one in known[name])]
    if lost:
        why = "their parts are damaged" if usable else "they were read with another version or other options"
        raise UsageError(
            f"{len(lost):,} inputs of the ledger are not among the logs, and {why}: {absent.named(lost)}. The ledger "
            "stays as it is. Give these logs too, or leave their requests out with --drop-missing."
        )


def _warn_of_replaced(names: Sequence[str]) -> None:
    if names:
        what = "1 log was" if len(names) == 1 else f"{len(names):,} logs were"
        warnings.warn(
            f"{what} replaced under the same name since the last update, and earlier content is no longer in the "
            f"ledger: {absent.named(names)}.",
            AuditWarning,
            stacklevel=4,
        )


def _hashes(plan: Plan, before: dict[str, str], unchanged: set[str], executor: Executor) -> dict[str, str]:
    """Return the SHA-256 of the files that are read in ranges, hashing those that have changed."""
    ranged = plan.ranged()
    known = {
        source.name: before[source.name] for source in ranged if source.name in unchanged and source.name in before
    }
    left = [source for source in ranged if source.name not in known]
    made = executor.map(hash_file, [HashTask(source) for source in left])
    return known | dict(zip((source.name for source in left), made, strict=True))


def _made(shared: SharedFolder, plan: Plan, executor: Executor, progress: Progress | None) -> tuple[LedgerPart, ...]:
    run = new_run()
    tasks = [
        PartTask(bundle=plan.bundle(number), config=plan.config, run=run, workspace=shared.uri, key=plan.key(number))
        for number in range(len(plan.bundles))
    ]
    return tuple(executor.map(make_part, tasks, done=bytes_done(tasks, progress)))


def _is_whole(folder: Path) -> bool:
    try:
        read_ledger(folder)
    except UsageError:
        return False
    return True
