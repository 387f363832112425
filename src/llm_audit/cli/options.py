"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH…", help="Logs: files, folders, globs, - for standard input, s3://…; or a saved ledger."
    ),
]
Output = Annotated[
    list[Path] | None,
    typer.Option("--output", "-o", help="Also write a report; the suffix decides the format. Repeatable."),
]
Format = Annotated[str | None, typer.Option("--format", "-f", help="What to print on standard output.")]
Policy = Annotated[str | None, typer.Option(help="A preset or a TOML file.")]
Prices = Annotated[list[str] | None, typer.Option(help="A price file of your own; later ones override. Repeatable.")]
Calibration = Annotated[str | None, typer.Option(help="A file that `llm-audit calibrate` wrote.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="The configuration file.")]
Since = Annotated[str | None, typer.Option(help="First day or time to audit, such as 2026-09-01.")]
Until = Annotated[str | None, typer.Option(help="First day or time not to audit.")]
Timezone = Annotated[str | None, typer.Option(help="Time zone for days, such as Europe/Berlin.")]
Currency = Annotated[str | None, typer.Option(help="For display, with the rate given: EUR=0.92.")]
GroupBy = Annotated[list[str] | None, typer.Option(help="A further grouping: a column of the ledger. Repeatable.")]
LogFormat = Annotated[str | None, typer.Option(help="Read every input as this format; see `llm-audit formats`.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=0, help="Processes that read logs; 0 is one a core.")]
Cache = Annotated[bool | None, typer.Option("--cache/--no-cache", help="Keep and use ledger parts of unchanged logs.")]
Strict = Annotated[
    bool | None, typer.Option("--strict/--no-strict", help="Any rejected record or unpriced request ends with 3.")
]
ShowProgress = Annotated[bool | None, typer.Option("--progress/--no-progress", help="Show progress on a terminal.")]
Confidence = Annotated[float | None, typer.Option(help="Confidence of the interval on a change, such as 0.9.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No terminal report and no summary.")]
Details = Annotated[bool, typer.Option("--details", "-v", help="The whole terminal report, not its first screen.")]
