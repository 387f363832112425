"""``llm-audit cache``: what is kept of logs already read."""

from __future__ import annotations

import typer

from llm_audit.cli.table import ListFormat, show

app = typer.Typer(help="What is kept of logs already read: ledger parts, without text.", no_args_is_help=True)


@app.command("info")
def info(*, output_format: ListFormat = "table") -> None:
    """Say where the cache is and how large."""
    from llm_audit.ledger import cache_info

    held = cache_info()
    show(
        [{"folder": str(held.folder), "files": held.files, "bytes": held.bytes, "max bytes": held.max_bytes}],
        output_format,
        numeric=("files", "bytes", "max bytes"),
    )


@app.command("clear")
def clear() -> None:
    """Remove everything the cache holds."""
    from llm_audit.ledger import clear_cache

    held = clear_cache()
    typer.echo(f"Removed {held.files:,} files, {held.bytes:,} bytes, from {held.folder}")
