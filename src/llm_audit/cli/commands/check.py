"""``llm-audit check``: audit logs, compare with a baseline, and check the audit against rules and budgets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_audit.cli import console, options
from llm_audit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from llm_audit.compare.rules import GateRule
    from llm_audit.config import Settings
    from llm_audit.document.comparison import CheckResult

_NO_RULES = (
    "There is nothing to check. Give a rule, such as `--fail-on cost_per_request:+10%` or `--max-flagship-tax 30%`, or "
    "set fail_on or [budgets] in llm-audit.toml; to save a first baseline without a rule, give --save-baseline FILE."
)


def check(
    paths: options.Paths,
    *,
    baseline: Annotated[
        Path | None, typer.Option(help="Audit to compare with, from --save-baseline or -o FILE.json.")
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="Rule, such as cost_per_request:+10% or total_cost:500USD. Repeatable."),
    ] = None,
    max_flagship_tax: Annotated[
        str | None, typer.Option(metavar="LIMIT", help="Highest flagship tax: a share (30%) or an amount (500USD).")
    ] = None,
    min_samples: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Requests that a rule about a change needs on each side.")
    ] = None,
    confidence: options.Confidence = None,
    save_baseline: Annotated[Path | None, typer.Option(help="Save this audit as the next baseline.")] = None,
    inconclusive: Annotated[
        str | None,
        typer.Option(metavar="pass|warn|fail", help="What a rule counts as where the requests are too few to tell."),
    ] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Report failures, but exit with 0.")] = False,
    output: options.Output = None,
    output_format: options.Format = None,
    policy: options.Policy = None,
    prices: options.Prices = None,
    calibration: options.Calibration = None,
    since: options.Since = None,
    until: options.Until = None,
    timezone: options.Timezone = None,
    sampling_rate: options.SamplingRate = None,
    pseudonymize: options.Pseudonymize = None,
    log_format: options.LogFormat = None,
    date_order: options.DateOrder = None,
    key_date: options.KeyDate = None,
    strict: options.Strict = None,
    jobs: options.Jobs = None,
    engine: options.Engine = None,
    workspace: options.Workspace = None,
    cache: options.Cache = None,
    config_file: options.ConfigFile = None,
    progress: options.ShowProgress = None,
    quiet: options.Quiet = False,
) -> int:
    """Audit logs and check the result against rules and budgets; exits with 1 when one fails.

    A rule about a change fails where the whole interval of the change is beyond the threshold, and passes where the
    whole interval is within it; otherwise it is "inconclusive": the requests are too few to tell.
    """
    from llm_audit import api
    from llm_audit import config as configuration
    from llm_audit.audit.options import calendar_days
    from llm_audit.cli.audit_run import run_audit
    from llm_audit.cli.completeness import completeness
    from llm_audit.cli.documents import load_document
    from llm_audit.cli.output import check_formats, deliver
    from llm_audit.compare.comparison import compare
    from llm_audit.compare.gates import GateOptions
    from llm_audit.compare.gates import check as evaluate
    from llm_audit.document.audit import encode
    from llm_audit.document.comparison import InconclusiveIs, Outcome
    from llm_audit.files import write_atomically
    from llm_audit.report.interface import Frames

    check_formats(output or [], output_format, check=True)
    flags = {
        "policy": policy,
        "prices": prices,
        "calibration": calibration,
        "timezone": timezone,
        "sampling_rate": sampling_rate,
        "pseudonymize": pseudonymize,
        "log_format": log_format,
        "date_order": date_order,
        "key_date": key_date,
        "strict": strict,
        "jobs": jobs,
        "engine": engine,
        "workspace": workspace,
        "cache": cache,
        "fail_on": fail_on,
        "min_samples": min_samples,
        "confidence": confidence,
        "inconclusive": inconclusive,
    }
    settings = configuration.load(flags, file=config_file)
    config = settings.config
    rules = _rules(settings, max_flagship_tax)
    if not rules and not config.budgets and save_baseline is None:
        raise UsageError(_NO_RULES)
    before = None if baseline is None else load_document(baseline)
    audit = run_audit(paths, config, flags, since=since, until=until, progress=progress)
    document = audit.document
    options_of_time = api.audit_options(config, since=since, until=until)
    rules += _budgets(settings, calendar_days(document, options_of_time))
    comparison = None
    if before is not None:
        labels = (str(baseline), "this audit")
        before, _, notes = api.at_one_price(before, document, config=config, labels=labels)
        comparison = compare(before, document, labels=labels, confidence=config.confidence, notes=notes)
    gate_options = GateOptions(
        confidence=config.confidence, min_samples=config.min_samples, min_change_usd=config.min_change_usd
    )
    result = evaluate(
        document,
        rules,
        base=before,
        comparison=comparison,
        options=gate_options,
        inconclusive=InconclusiveIs(config.inconclusive),
    )
    frames = Frames(make=lambda: audit.requests, parts=audit.request_parts)
    deliver(document, output or [], output_format, frames=frames, check=result, quiet=quiet)
    if save_baseline is not None:
        write_atomically(save_baseline, encode(document))
        if not quiet:
            console.say(f"Wrote {save_baseline}")
        if not rules:
            console.say("There is no rule, so nothing was checked; the audit is saved as the next baseline.")
    if result.inconclusive and result.inconclusive_is is not InconclusiveIs.PASSED:
        unsure = ", ".join(rule.rule for rule in result.rules if rule.outcome is Outcome.INCONCLUSIVE)
        console.warn(f"Too few requests to tell whether {unsure} holds; the report has the interval.")
    return _exit_code(result, completeness(document, config), exit_zero=exit_zero)


def _exit_code(result: CheckResult, incomplete: int, *, exit_zero: bool) -> int:
    """Return the exit code: a failed rule outranks an incomplete audit, and a rule not evaluated is not passed."""
    if exit_zero:
        return int(ExitCode.DONE)
    if result.failures:
        return int(ExitCode.GATE_FAILED)
    evaluated = result.passed or result.inconclusive
    return int(ExitCode.INCOMPLETE) if result.not_evaluated and not evaluated else incomplete


def _rules(settings: Settings, max_flagship_tax: str | None) -> list[GateRule]:
    from llm_audit.compare import rules

    where = _source(settings, "fail_on")
    found = [
        rules.parse(text, source=where, line=_line_of(settings.file, text) if where else None)
        for text in settings.config.fail_on
    ]
    return found if max_flagship_tax is None else [*found, rules.highest_flagship_tax(max_flagship_tax)]


def _budgets(settings: Settings, days: Sequence[date]) -> list[GateRule]:
    from llm_audit.compare import rules

    source = _source(settings, "budgets")
    return [
        rules.budget(
            selector,
            amount,
            days=days,
            source=source,
            line=_line_of(settings.file, selector) if source else None,
        )
        for selector, amount in settings.config.budgets.items()
    ]


def _source(settings: Settings, name: str) -> str | None:
    """Return the file that a setting is from, relative to the working folder for annotations; None for a flag."""
    if settings.file is None or settings.origins[name] != str(settings.file):
        return None
    file = settings.file.resolve()
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)


def _line_of(file: Path | None, text: str) -> int | None:
    """Return the line of a rule in the configuration, for annotations."""
    if file is None:
        return None
    lines = file.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if text in line), None)
