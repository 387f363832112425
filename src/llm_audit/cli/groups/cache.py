"""``llm-audit cache``: show or clear the cached ledger parts and audits."""

from __future__ import annotations

import typer

from llm_audit.cli.table import ListFormat, show

app = typer.Typer(
    no_args_is_help=True,
)


@app.command("info")
def info(*, output_format: ListFormat = "table") -> None:
    """Show the cache's folder and size."""
    from llm_audit.ledger import cache_info

    usage = cache_info()
    show(
        [{"folder": str(usage.folder), "files": usage.files, "bytes": usage.bytes, "max bytes": usage.max_bytes}],
        output_format,
        numeric=("files", "bytes", "max bytes"),
    )


@app.command("clear")
def clear() -> None:
    """Remove everything from the cache."""
    from llm_audit.ledger import clear_cache

    usage = clear_cache()
    typer.echo(f"Removed {usage.files:,} files, {usage.bytes:,} bytes, from {usage.folder}")
