"""``llm-audit ingest``: read logs, or a share of them, into a workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_audit.cli import options


def ingest(
    paths: options.Paths,
    *,
    workspace: Annotated[
        str, typer.Option(metavar="URI", help="Folder that all shares are written to: a path or s3://bucket/prefix.")
    ],
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Read the I-th of N shares only, as a task of a batch array does.")
    ] = None,
    calibration: options.Calibration = None,
    log_format: options.LogFormat = None,
    date_order: options.DateOrder = None,
    jobs: options.Jobs = None,
    engine: options.Engine = None,
    config_file: options.ConfigFile = None,
    progress: options.ShowProgress = None,
) -> None:
    """Read logs, or one of N shares of them, into a workspace, of which `merge` makes a ledger.

    What the workspace holds of the same logs is not read again, so a share that failed is simply started again.
    """
    from llm_audit import api, engines
    from llm_audit import config as configuration
    from llm_audit.cli import console

    flags = {
        "calibration": calibration,
        "log_format": log_format,
        "date_order": date_order,
        "jobs": jobs,
        "engine": engine,
    }
    config = configuration.load(flags, file=config_file).config
    share = None if shard is None else engines.Part.parse(shard)
    with (
        console.progress(wanted=progress) as update,
        engines.open_executor(config.engine, jobs=config.jobs) as executor,
    ):
        parts, records = engines.ingest_shard(
            workspace,
            paths,
            config=api.ingest_options(config).config(),
            executor=executor,
            shard=share,
            progress=update,
        )
    made = f"{parts:,} part{'' if parts == 1 else 's'}{f' of share {shard}' if shard else ''}"
    console.say(f"{workspace} holds {made}, of {records:,} records")
