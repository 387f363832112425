"""``llm-audit doctor``: what a run depends on, and what a place holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from llm_audit.errors import ExitCode

if TYPE_CHECKING:
    from llm_audit.sources.detect import DetectedFormat

_SHOWN = 5
"""Files of no known format that are named."""


def doctor(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH…]", help="Logs to look at; only their first records are read.")
    ] = None,
) -> int:
    """Show versions, compiled code, the cache, the age of the price table, and what the given places hold.

    Exits with 3 when something is not as it should be: prices that are old, compiled code or a writable cache that is
    missing, or a file of no known format.
    """
    problems: list[str] = []
    for line in (*_installation(problems), *_places(paths or [], problems)):
        typer.echo(line)
    for problem in problems:
        typer.echo(f"! {problem}")
    if not problems:
        typer.echo("All well.")
    return int(ExitCode.INCOMPLETE if problems else ExitCode.DONE)


def _installation(problems: list[str]) -> Iterator[str]:
    from llm_audit import config as configuration
    from llm_audit.audit.sections.price_age import OLD_DAYS
    from llm_audit.cli.version import details, missing_extensions
    from llm_audit.ledger import cache_info, cache_problem
    from llm_audit.pricing import PriceBook

    yield from details()
    problems += [
        f"{name} runs without compiled code, which is slower. Install a C compiler and reinstall."
        for name in missing_extensions()
    ]
    settings = configuration.load()
    yield f"Settings: {settings.file or 'defaults; no llm-audit.toml was found'}"
    usage = cache_info()
    yield f"Cache: {usage.folder}, {usage.files:,} files, {usage.bytes:,} of {usage.max_bytes:,} bytes"
    if reason := cache_problem(usage.folder):
        problems.append(f"The cache {usage.folder} cannot be written ({reason}), so every run reads all logs again.")
    checked = PriceBook().checked
    if checked is None:
        yield "Prices: a version of genai-prices that was not checked with this llm-audit"
        return
    days = (date.today() - checked).days  # noqa: DTZ011 - the user's own day
    yield f"Prices: checked {checked}, {days} days ago"
    if days > OLD_DAYS:
        problems.append(
            "The price table is old. Renew it with `pip install --upgrade llm-audit genai-prices`, or give a price "
            "file with --prices."
        )


def _places(paths: list[str], problems: list[str]) -> Iterator[str]:
    from llm_audit.sources.detect import explain

    for path in paths:
        found = explain([path])
        yield f"{path}: {len(found):,} file{'' if len(found) == 1 else 's'}"
        formats = Counter(item.detection.format.info.name for item in found if item.detection.format)
        yield from (f"  {count:,} of the format {name}" for name, count in sorted(formats.items()))
        unknown = [item for item in found if item.detection.format is None]
        if not found:
            problems.append(f"{path} holds no file that could be a log.")
        if unknown:
            problems.append(_unknown(path, unknown))


def _unknown(path: str, unknown: list[DetectedFormat]) -> str:
    named = "; ".join(f"{item.path}: {item.reason}" for item in unknown[:_SHOWN])
    more = f"; and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
    return (
        f"{len(unknown):,} of the files of {path} have no known format ({named}{more}). See `llm-audit formats suggest "
        "FILE`."
    )
