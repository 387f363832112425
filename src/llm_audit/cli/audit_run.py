"""The step that every auditing command shares: from paths and settings to an audit."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec.structs import replace

from llm_audit.cli import console
from llm_audit.cli.mapping_hint import mapping_hint
from llm_audit.errors import UsageError
from llm_audit.sources.databases import shown

if TYPE_CHECKING:
    from llm_audit.cli.kept_audit import KeptAudit
    from llm_audit.config import Config
    from llm_audit.engines import Progress

_NOT_FIGURES = frozenset(
    {
        "jobs", "engine", "workspace", "ledger", "overlap_hours", "cache", "strict", "fail_on", "min_samples",
        "inconclusive",
    }
)  # fmt: skip
"""Flags that cannot change a figure."""

_SAMPLED = frozenset(
    {
        "policy", "prices", "calibration", "timezone", "pseudonymize", "log_format", "date_order", "since", "until",
    }
)  # fmt: skip
"""Flags of an audit that ``llm-audit sample`` has too."""


class Update(msgspec.Struct, frozen=True):
    """The ledger that a run keeps up to date, and whether the requests of logs that are gone are left out."""

    folder: Path
    drop_missing: bool

    @classmethod
    def of(
        cls, config: Config, *, given: str | None, wanted: bool, drop_missing: bool, overlap_hours: float | None
    ) -> Self | None:
        """Return what the options ask for; None where no ledger is to be updated.

        Raises:
            UsageError: An option goes only with another one, or not with it.
        """
        if not wanted:
            if given is not None or drop_missing or overlap_hours is not None:
                raise UsageError(
                    "--ledger, --drop-missing and --overlap-hours go with --update. To audit a saved ledger, give its "
                    "folder as PATH; to save one, use --save-ledger."
                )
            return None
        if config.ledger is None:
            raise UsageError("--update needs the folder of the ledger: --ledger DIR, or `ledger` in the configuration.")
        if config.workspace is not None:
            raise UsageError("--update does not go with --workspace: the ledger's folder keeps the parts.")
        return cls(Path(config.ledger), drop_missing)


def run_audit(
    paths: Sequence[str],
    config: Config,
    flags: Mapping[str, Any],
    *,
    since: str | None = None,
    until: str | None = None,
    progress: bool | None = None,
    save_ledger: Path | None = None,
    query: str | None = None,
    update: Update | None = None,
) -> KeptAudit:
    """Read logs, or a saved ledger, and audit them.

    Args:
        paths: Logs, or a saved ledger.
        config: Settings, flags included.
        flags: The flags given by the user, for the command that reproduces the audit.
        since: Start of the period.
        until: End of the period, exclusive.
        progress: Whether to show progress; ``None`` shows it on a terminal only.
        save_ledger: A folder to save the ledger in.
        query: The query to ask of a database.
        update: The ledger to bring up to date first, which is then audited.
    """
    from llm_audit import api, engines
    from llm_audit.cli import kept_audit

    with engines.open_executor(config.engine, jobs=config.jobs, then="llm_audit.audit.stages.tasks") as executor:
        with (
            console.progress(wanted=progress) as shown_progress,
            loading("llm_audit.audit.run", shown_progress) as done,
        ):
            if update is not None:
                api.update_ledger(
                    paths,
                    update.folder,
                    config=config,
                    drop_missing=update.drop_missing,
                    query=query,
                    progress=done,
                    executor=executor,
                )
                paths, query = [str(update.folder)], None
            ledger = api.open_ledger(
                paths, config=config, since=since, until=until, query=query, progress=done, executor=executor
            )
        if (hint := mapping_hint(ledger)) is not None:
            console.say(hint)
        if save_ledger is not None:
            from llm_audit.ledger import write_ledger

            write_ledger(ledger, save_ledger)
            console.say(f"Wrote {save_ledger}")
        options = api.audit_options(config, since=since, until=until)
        # The dates that relative bounds came to, so that the command gives this audit on any day.
        given = {**flags, "query": query, "since": options.since, "until": options.until}
        figures = {name: value for name, value in given.items() if name not in _NOT_FIGURES}
        sampled = {name: value for name, value in given.items() if name in _SAMPLED}
        options = replace(
            options,
            command=_command("analyze", paths, figures),
            sample_command="" if query is not None else _command("sample", paths, sampled),
        )
        audit = kept_audit.audit(ledger, config, options, executor=executor)
    if config.workspace is not None:
        engines.clear_workspace(config.workspace)
    return audit


def _command(name: str, paths: Sequence[str], flags: Mapping[str, Any]) -> str:
    """Return a command with its flags as they are written."""
    words = ["llm-audit", name, *map(shown, paths)]
    for flag, value in flags.items():
        if value is not None:
            for item in value if isinstance(value, list) else [value]:
                words += [f"--{flag.replace('_', '-')}", str(item)]
    return shlex.join(words)


@contextmanager
def loading(module: str, progress: Progress | None) -> Iterator[Progress]:
    """Yield progress that begins to load a module when it is first called, which is when other processes work.

    Where a ledger is kept nothing is read, and the module may not be needed.
    """
    threads: list[Thread] = []

    def called(done: int, total: int) -> None:
        if not threads:
            threads.append(Thread(target=import_module, args=(module,), daemon=True))
            threads[0].start()
        if progress is not None:
            progress(done, total)

    yield called
    for thread in threads:
        thread.join()
