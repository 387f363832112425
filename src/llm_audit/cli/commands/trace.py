"""``llm-audit trace``: show one trace as a tree of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llm_audit.cli import options
from llm_audit.cli.inspection import DetailFormat, Logs, as_json, check_detail_format, open_with_policy
from llm_audit.cli.table import show
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    from llm_audit.audit.inspect.trace import TraceView


def trace(
    trace_id: Annotated[str, typer.Argument(metavar="TRACE", help="Id of a trace or conversation in the log.")],
    *,
    logs: Logs = None,
    policy: options.Policy = None,
    prices: options.Prices = None,
    cache: options.Cache = None,
    config_file: options.ConfigFile = None,
    output_format: DetailFormat = "text",
) -> None:
    """Show a trace as a tree, with each request's route, risk, and the cost of requests that depend on it."""
    check_detail_format(output_format)
    if not logs:
        raise UsageError("Give the logs the trace is in: trace ID --logs logs/.")
    from llm_audit.audit.inspect.trace import view_trace

    opened = open_with_policy(logs, policy=policy, prices=prices, cache=cache, config_file=config_file)
    with opened as (ledger, tools, _):
        found = view_trace(ledger, trace_id, **tools)
    if output_format == "json":
        typer.echo(as_json(found))
    else:
        _tree(found)


def _tree(found: TraceView) -> None:
    rows = [
        {
            "request": "  " * node.depth + node.request,
            "step": node.step,
            "model": node.model,
            "route": node.route_per_request,
            "route by trace": node.route_per_trace,
            "cost": node.cost_usd,
            "downstream": node.downstream_usd,
            "risk": node.risk_usd,
            "known by": f"{node.edge} (inferred)" if node.inferred else node.edge,
        }
        for node in found.nodes
    ]
    show(rows, "table", numeric=("cost", "downstream", "risk"))
    if found.cost_usd is None:
        typer.echo("No request has a known price, so the costs are unknown.")
        return
    typer.echo(
        f"Cost {found.cost_usd}, policy by request {found.policy_cost_per_request_usd},"
        f" by trace {found.policy_cost_per_trace_usd} USD"
        + (f", without {found.unpriced_requests:,} of no known price" if found.unpriced_requests else "")
    )
