"""``llm-audit diff``: compare two audits."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_audit.cli import options


def diff(
    base: Annotated[str, typer.Argument(metavar="BASE", help="An audit (AUDIT.json), a ledger or logs.")],
    head: Annotated[str, typer.Argument(metavar="HEAD", help="An audit (AUDIT.json), a ledger or logs.")],
    *,
    output: options.Output = None,
    output_format: options.Format = None,
    policy: options.Policy = None,
    prices: options.Prices = None,
    confidence: options.Confidence = None,
    config_file: options.ConfigFile = None,
    quiet: options.Quiet = False,
) -> None:
    """Compare two audits, and split the change into volume, model mix, tokens per request, cache and price."""
    from llm_audit import api
    from llm_audit import config as configuration
    from llm_audit.cli.documents import load_or_audit
    from llm_audit.cli.output import check_formats, deliver
    from llm_audit.document.comparison import CheckResult

    check_formats(output or [], output_format, requests=False, check=True)
    flags = {"policy": policy, "prices": prices, "confidence": confidence}
    config = configuration.load(flags, file=config_file).config
    before, after = load_or_audit(base, config), load_or_audit(head, config)
    comparison = api.compare_documents(before, after, config=config, labels=(base, head))
    result = CheckResult(rules=[], comparison=comparison, failed=0, passed=0, not_evaluated=0)
    deliver(after, output or [], output_format, check=result, quiet=quiet)
