"""Options that several commands share, and the reading of their values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from typer.core import TyperCommand, TyperGroup

from llm_audit.errors import UsageError

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH…",
        help="Logs: files, folders, globs, s3://…, gs://…, az://…, databases by URI, or - for standard input; or a "
        "saved ledger.",
    ),
]
Output = Annotated[
    list[Path] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Also write a report to this file, in the format of its suffix. With a * in its name, rows of requests "
        "(csv, parquet, focus) are in a file for each part of a large log. Repeatable.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option("--format", "-f", help="Report format to print on standard output; a terminal report by default."),
]
Policy = Annotated[str | None, typer.Option(help="Policy: a preset or a TOML file.")]
Prices = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="Price file of your own; later ones override earlier ones. Repeatable."),
]
Invoices = Annotated[
    list[Path] | None,
    typer.Option(
        "--invoice",
        metavar="FILE",
        help="Cost export of a provider as CSV (OpenAI, Anthropic, AWS CUR or FOCUS), to tie the audit out with by "
        "provider and month. Repeatable.",
    ),
]
Calibration = Annotated[str | None, typer.Option(help="Calibration file from `llm-audit calibrate`.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file.")]
Since = Annotated[
    str | None,
    typer.Option(help="Start of the period: a day or time, such as 2026-09-01, 7d, 24h, yesterday or last-month."),
]
Until = Annotated[
    str | None, typer.Option(help="End of the period, itself excluded: a day or time, such as today or this-month.")
]
Query = Annotated[
    str | None, typer.Option(metavar="SQL", help="Audit the result of this query, of the one database given.")
]
Timezone = Annotated[str | None, typer.Option(help="Time zone for days, such as Europe/Berlin.")]
SamplingRate = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Share of all requests that the logs hold, such as 0.0025 for 1 in 400: figures a month are scaled to all "
        "traffic.",
    ),
]
Currency = Annotated[str | None, typer.Option(help="Currency for display, with its rate per US dollar: EUR=0.92.")]
GroupBy = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN", help="Also group by this column of the ledger. Repeatable.")
]
Pseudonymize = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIELD",
        help="Show pseudonyms instead of names: user, team, app, environment or tags. Repeatable. The key is in "
        "LLM_AUDIT_PSEUDONYM_KEY.",
    ),
]
LogFormat = Annotated[str | None, typer.Option(help="Log format of every input; `llm-audit formats` lists them.")]
DateOrder = Annotated[
    str | None,
    typer.Option(metavar="ORDER", help="Order of the numbers of dates such as 01/09/2026: dmy, mdy or ymd."),
]
KeyDate = Annotated[
    str | None,
    typer.Option(
        metavar="PATTERN",
        help="Where names of files and objects state a date, such as %Y/%m/%d: --since and --until then skip others.",
    ),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=0, metavar="N", help="Processes that read logs; 0 is one per core.")
]
Engine = Annotated[
    str | None,
    typer.Option(
        metavar="ENGINE", help="What runs the work: local, dask (a cluster of this machine) or dask://host:port."
    ),
]
Workspace = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="Folder for what is made on the way, from which an interrupted run goes on: a path or s3://bucket/prefix.",
    ),
]
Ledger = Annotated[
    str | None, typer.Option("--ledger", metavar="DIR", help="Folder of the ledger that --update keeps up to date.")
]
OverlapHours = Annotated[
    float | None,
    typer.Option(
        metavar="HOURS",
        help="With --update of a database: hours before a table's newest row within which rows are read again.",
    ),
]
Cache = Annotated[
    bool | None, typer.Option("--cache/--no-cache", help="Reuse the ledger parts of unchanged logs, and keep new ones.")
]
Strict = Annotated[
    bool | None, typer.Option("--strict/--no-strict", help="Exit with 3 on any rejected record or unpriced request.")
]
ShowProgress = Annotated[
    bool | None, typer.Option("--progress/--no-progress", help="Show progress; the default is on a terminal only.")
]
Confidence = Annotated[float | None, typer.Option(help="Confidence of the interval on a change, such as 0.9.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what --format asks for, and warnings.")]
Details = Annotated[
    bool, typer.Option("--details", "-v", help="Print the full terminal report, not just its first screen.")
]


def day(text: str | None) -> date:
    """Return the day that an option names, or today."""
    if text is None:
        return datetime.now().astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date; write it as 2025-06-01.") from None


class Command(TyperCommand):
    """A command that reads text without typer's converters: loading these takes longer than showing a kept audit."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, which read text themselves."""
        return _reading_text(super().get_params(ctx))


class CommandLine(TyperGroup):
    """Commands, whose own options are read as those of ``Command`` are."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, which read text themselves."""
        return _reading_text(super().get_params(ctx))


def _reading_text(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        vars(parameter).setdefault("process_value", partial(_value, parameter, parameter.process_value))
    return parameters


def _value(parameter: Any, convert: Callable[[Any, Any], Any], context: Any, given: Any) -> Any:
    """Return a parameter's value: nothing, text or a path as it is given, anything else as typer converts it."""
    kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    if given is None and not parameter.required:
        value: Any = () if parameter.multiple or parameter.nargs == -1 else None
    elif kind in {str, Path} and isinstance(given, str):
        value = kind(given)
    elif kind in {list[str], list[Path]} and given and all(isinstance(item, str) for item in given):
        (of,) = get_args(kind)
        value = [of(item) for item in given]
    else:
        return convert(context, given)
    return value if parameter.callback is None else parameter.callback(context, parameter, value)
