"""``llm-audit explain``: the reasons and figures behind the judgement, route and price of one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llm_audit.cli import options
from llm_audit.cli.inspection import DetailFormat, Logs, as_json, audit_tools, check_detail_format, open_with_policy
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    from llm_audit.document.explanation import Candidate, Estimate, Line, PromptExplanation, RequestExplanation


def explain(
    request: Annotated[
        str | None,
        typer.Argument(metavar="REQUEST", help="The request's id in the log, its request key, or FILE:LINE."),
    ] = None,
    *,
    logs: Logs = None,
    prompt: Annotated[str | None, typer.Option(help="Explain the judgement of this text instead of a request.")] = None,
    detail: Annotated[bool, typer.Option("--detail", help="With --prompt: show contributions in logits.")] = False,
    policy: options.Policy = None,
    prices: options.Prices = None,
    cache: options.Cache = None,
    config_file: options.ConfigFile = None,
    output_format: DetailFormat = "text",
) -> None:
    """Explain how a request was judged, routed and priced, with every figure; or how a text is judged (--prompt).

    A text's judgement comes with a task of a published set that is about as hard, and the smallest model of each family
    that suffices for it under the policy.
    """
    check_detail_format(output_format)
    if prompt is not None and (request is not None or logs):
        raise UsageError("Give either a request with --logs, or a text with --prompt, not both.")
    if prompt is not None:
        from llm_audit.audit.inspect.prompt import explain_prompt
        from llm_audit.classify.model import Classifier

        judged = explain_prompt(
            prompt, Classifier.load(), **audit_tools(policy=policy, prices=prices, config_file=config_file)
        )
        typer.echo(as_json(judged) if output_format == "json" else _judgement(judged, detail=detail))
        return
    if request is None or not logs:
        raise UsageError("Give a request and the logs it is in (explain ID --logs logs/), or a text with --prompt.")
    from llm_audit.audit.inspect.request import Engine
    from llm_audit.audit.inspect.request import explain as explained

    opened = open_with_policy(logs, policy=policy, prices=prices, cache=cache, config_file=config_file)
    with opened as (ledger, tools, given):
        found = explained(ledger, request, engine=Engine(**given), **tools)
    typer.echo(as_json(found) if output_format == "json" else _text(found))


def _judgement(found: PromptExplanation, *, detail: bool) -> str:
    lines = [found.summary]
    if found.choices:
        lines += ["", f"Smallest model that suffices under {found.policy}, in place of the family's ablest:"]
        width = max(len(one.family) for one in found.choices)
        for one in sorted(found.choices, key=lambda one: not one.moves):
            model = f"{one.model} for {one.used}" if one.moves else f"{one.used} stays"
            lines.append(f"  {one.family:<{width}}  {model}: {one.reason}")
    if found.difficulty is None:
        return "\n".join(lines)
    if not detail:
        return "\n".join([*lines, "", "With --detail: what the difficulty is made of, in logits."])
    lines += ["", f"Difficulty {found.difficulty:+.2f} logits, category {found.category}"]
    lines += [f"  {share:>5.0%}  {kind}" for kind, share in found.kinds.items() if share >= 0.01]
    lines += ["", "Contributions to the difficulty (logits):"]
    lines += [f"  {reason.logits:+.2f}  {reason.text}" for reason in found.reasons]
    if found.words:
        lines += ["", "Words with the largest contributions:"]
        lines += [f"  {reason.logits:+.2f}  {reason.text}" for reason in found.words]
    return "\n".join(lines)


def _text(found: RequestExplanation) -> str:
    judged = found.judged or "not judged"
    why = f" ({found.abstention})" if found.abstention else ""
    lines = [
        f"request {found.request}: {found.file}, line {found.line}, {found.time or 'no time'}",
        f"served by {_provider(found)} / {found.model} (catalogue: {found.model_id or 'unknown'})",
        f"{judged}{why}: category {found.category}, difficulty {_number(found.difficulty)}",
        *([f"at stake: {found.stakes}{_limit(found)}"] if found.stakes else []),
        f"ability of the model used {_number(found.used_ability)}",
        "",
        f"Actual cost {found.actual_usd or 'unknown: ' + str(found.unpriced_reason)} USD, {found.price_source or ''}",
        *_lines(found.actual_lines, found.per_call_usd),
        "",
        f"{found.outcome}: {_decision(found)}, route {found.route or found.model_id}",
    ]
    for row in found.candidates:
        mark = "*" if row.chosen else " "
        gate = f", blocked by {row.gate}" if row.gate else ""
        lines.append(
            f" {mark} {row.model}: ability {row.ability:+.4f}, P(success) {row.p_success:.6f},"
            f" P(suffices) {row.p_suffices:.6f}, loses {row.lost_in_100:.4f} in 100,"
            f" preference gap {_gap(row)},"
            f" {row.cost_usd} USD at the same tokens{gate}"
        )
    for estimate in found.estimates:
        parts = f"run {estimate.run_usd}, check {estimate.check_usd}, escalation {estimate.escalation_usd}"
        lines += ["", f"{estimate.name}: {estimate.total_usd} USD ({parts}, extra steps {estimate.extra_steps_usd})"]
        lines += _assumed(found, estimate) + _lines(estimate.lines, estimate.per_call_usd)
    return "\n".join(lines)


def _gap(row: Candidate) -> str:
    """Write the share of readers who prefer the model used, with its interval."""
    if row.preference_gap is None or row.preference_low is None or row.preference_high is None:
        return "unknown"
    return f"{row.preference_gap:+.1%} ({row.preference_low:+.1%} to {row.preference_high:+.1%})"


def _decision(found: RequestExplanation) -> str:
    """Write the decision with the number that it compares."""
    if found.decided_by is None:
        return found.decision
    if found.decision == "quality_loss":
        return f"loses at most {found.decided_by:g} answer{'' if found.decided_by == 1 else 's'} in 100"
    return f"{found.decision} at {found.decided_by:g}"


def _limit(found: RequestExplanation) -> str:
    return f" (the policy then asks of a route: {found.stakes_limit})" if found.stakes_limit else ""


def _provider(found: RequestExplanation) -> str:
    if found.provider is not None or found.price_provider is None:
        return found.provider or "an unknown provider"
    return f"{found.price_provider} (by its price; the log names no provider)"


def _assumed(found: RequestExplanation, estimate: Estimate) -> list[str]:
    """Write the ratios and assumptions that a moved request's estimate is computed from."""
    values = estimate.assumptions
    if not values or estimate.p_suffices is None:
        return []
    output, reasoning = (
        f"{values[name]:g}" + ("" if measured is None else f" (measured {measured:g})")
        for name, measured in (
            ("output_ratio", found.measured_output_ratio),
            ("reasoning_ratio", found.measured_reasoning_ratio),
        )
    )
    text = f"tokenizer {found.tokenizer_ratio:g} x {values['tokenizer_ratio']:g}; visible output x {output}"
    thought = f"{found.reasoning_tokens:,} reasoning tokens x {reasoning}"
    added = f"{values['added_reasoning']:g} per visible token where only the route reasons"
    chance = f"P(suffices) {estimate.p_suffices:.6f} at {values['ability_shift']:+g} sd"
    lines = [
        f"  {text}; {thought}, or {added}",
        f"  cache reads kept {found.cache_reads_kept:,} of {found.cache_reads_logged:,}, x {values['cache_kept']:g}",
        f"  {chance}, escalations per lost answer {values['escalation']:g}",
    ]
    if estimate.mean_step_usd is not None:
        lines.append(
            f"  {values['extra_steps']:g} more steps at {estimate.mean_step_usd}, "
            f"the mean of the trace's {estimate.agent_steps}"
        )
    return lines


def _lines(rows: list[Line], per_call: str) -> list[str]:
    shown = [
        f"  {row.kind:<16}{row.tokens:>12,} at {row.rate_usd_per_mtok or 'no price':>10} per million = {row.cost_usd}"
        for row in rows
        if row.tokens
    ]
    return shown + ([f"  per call {per_call}"] if per_call != "0.00" else [])


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:+.4f}"
