"""``llm-audit merge``: make a ledger of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llm_audit.cli import options


def merge(
    workspace: Annotated[str, typer.Argument(metavar="URI", help="The workspace of `llm-audit ingest`.")],
    *,
    save_ledger: Annotated[Path, typer.Option(help="Folder to save the ledger in.")] = Path("ledger"),
    jobs: options.Jobs = None,
    engine: options.Engine = None,
    config_file: options.ConfigFile = None,
) -> None:
    """Make the ledger of a workspace whose shares have all been read, and remove the workspace's files.

    Audit it with `llm-audit analyze LEDGER`. Exits with 3 where a share is missing, and names what to run.
    """
    from llm_audit import config as configuration
    from llm_audit import engines
    from llm_audit.cli import console
    from llm_audit.ledger import write_ledger

    config = configuration.load({"jobs": jobs, "engine": engine}, file=config_file).config
    with engines.open_executor(config.engine, jobs=config.jobs) as executor:
        ledger = engines.merge_workspace(workspace, executor=executor)
        write_ledger(ledger, save_ledger)
        engines.clear_workspace(workspace)
    console.say(f"Wrote {save_ledger}, {ledger.manifest.rows:,} requests; audit it: llm-audit analyze {save_ledger}")
