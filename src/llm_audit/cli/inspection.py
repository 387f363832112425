"""Options and steps that ``explain`` and ``trace`` share: from logs to one request or trace of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from llm_audit.errors import UsageError

if TYPE_CHECKING:
    from llm_audit.ledger import Ledger

DetailFormat = Annotated[str, typer.Option("--format", "-f", help="text or json.")]
Logs = Annotated[
    list[str] | None, typer.Option("--logs", "-l", help="Logs or a saved ledger with the request or trace. Repeatable.")
]


def check_detail_format(output_format: str) -> None:
    """Refuse an unknown format before any work.

    Raises:
        UsageError: It is neither text nor json.
    """
    if output_format not in {"text", "json"}:
        raise UsageError(f"There is no format {output_format!r}; use text or json.")


@contextmanager
def open_with_policy(
    logs: list[str], *, policy: str | None, prices: list[str] | None, cache: bool | None, config_file: Path | None
) -> Iterator[tuple[Ledger, dict[str, Any], dict[str, Any]]]:
    """Read logs, and open what reads their partitions.

    Yields:
        The ledger; the policy, catalogue and price book that its requests are routed and priced by; and what
        ``api.steps`` gives.
    """
    from llm_audit import api, engines
    from llm_audit import config as configuration

    config = configuration.load({"policy": policy, "prices": prices, "cache": cache}, file=config_file).config
    tools = audit_tools(policy=policy, prices=prices, config_file=config_file)
    with engines.open_executor(config.engine, jobs=config.jobs) as executor:
        ledger = api.open_ledger(logs, config=config, executor=executor)
        with api.steps(ledger, config, executor=executor) as given:
            yield ledger, tools, given
    if config.workspace is not None:
        engines.clear_workspace(config.workspace)


def audit_tools(*, policy: str | None, prices: list[str] | None, config_file: Path | None) -> dict[str, Any]:
    """Return the policy, catalogue and price book of the settings."""
    from llm_audit import api
    from llm_audit import config as configuration
    from llm_audit.policy import load

    config = configuration.load({"policy": policy, "prices": prices}, file=config_file).config
    return {"policy": load(config.policy), "catalog": api.catalog(config), "book": api.price_book(config)}


def as_json(found: Any) -> str:
    """Write a struct as indented JSON."""
    return json.dumps(msgspec.to_builtins(found), indent=2, ensure_ascii=False)
