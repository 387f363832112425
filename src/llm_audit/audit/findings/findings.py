"""Findings: the templates, apps and routes to change first, by dollars, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import polars as pl

from llm_audit.arrays import Floats
from llm_audit.audit.aggregate.interval import bounds, replicates_of_bags
from llm_audit.audit.aggregate.rollups import NANO, total
from llm_audit.audit.findings import terms
from llm_audit.audit.findings.commands import Move, commands
from llm_audit.audit.findings.groups import Group
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.rhythm.days import Days
from llm_audit.audit.rhythm.run_rate import monthly_saving
from llm_audit.audit.sections.estimates import Evidence, assumption_errors, price_errors
from llm_audit.audit.sections.quality_loss import quality
from llm_audit.audit.sections.tables.cells import mean
from llm_audit.catalog import Catalog
from llm_audit.document.audit import Finding, Owner
from llm_audit.money import usd
from llm_audit.policy import Policy

_OUTCOMES = {
    "no_capable_model": "no cheaper model meets the policy",
    "no_saving": "no saving is expected",
    "gated": "a gate blocks",
    "abstained": "the prompt could not be judged",
    "unpriced": "no price",
    "not_in_ladder": "no ladder for the model",
    "already_cheapest": "already on the cheapest model",
    "unmeasured": "nobody measured the cheaper models",
    "not_offered": "the cheaper models were unavailable",
    "not_chat": "not a chat call",
}


_OVERLAP = "Overlaps with findings above it: their amounts do not add up."


class Setting(msgspec.Struct, kw_only=True, frozen=True):
    """What findings are made with beside sums.

    Attributes:
        policy: The policy.
        catalog: Models.
        prices: Of models, to order a ladder by.
        days: The whole days that the run rate rests on; None where it is unknown.
        options: Of the audit.
    """

    policy: Policy
    catalog: Catalog
    prices: Mapping[str, float]
    days: Days | None
    options: AuditOptions


def findings(groups: Sequence[Group], evidence: Evidence, *, setting: Setting) -> list[Finding]:
    """Return a finding for each group.

    Args:
        groups: The groups.
        evidence: Its risk is of all requests first, then of each group.
        setting: The policy and what else they are made with.
    """
    bags = [group.bags for group in groups]
    shares = replicates_of_bags(bags, "saved_pico", "cost_pico", resamples=setting.options.resamples)
    errors = _errors(groups, evidence, setting.options)
    return [
        _finding(_Grouped(group, shares[:, number], errors[:, number], evidence.risk.lost[:, number + 1]), setting)
        for number, group in enumerate(groups)
    ]


def _errors(groups: Sequence[Group], evidence: Evidence, options: AuditOptions) -> Floats:
    """Return by how many pico-dollars each group's saving is off in each replicate, sampling apart."""
    saved = [float(group.saved_pico) for group in groups]
    moved = [float(group.moved["expected_pico"]) for group in groups]
    price = price_errors(evidence.usage, resamples=options.resamples)[:, None] * saved
    # Assumptions act on what moved requests would cost: a group has its share of it.
    of_all = float(total(evidence.usage.filter(pl.col("moved") > 0), "expected_pico"))
    assumed = assumption_errors(evidence.effects, resamples=options.resamples)[:, None]
    return price + assumed * [part / of_all if of_all else 0.0 for part in moved] - evidence.risk.cost_error[:, 1:-1]


class _Grouped(msgspec.Struct, frozen=True):
    """A group with its share saved by the conversations logged, what it is off by, and answers lost, by replicate."""

    group: Group
    shares: Floats
    errors: Floats
    lost: Floats


def _finding(grouped: _Grouped, setting: Setting) -> Finding:
    group, options = grouped.group, setting.options
    moved, pairs = group.moved, group.pairs
    used, route = pairs[0]
    owning = terms.owners(group.owners)
    name = _name(group, owning)
    more = len(pairs) - 1
    low, high = _bounds(grouped, options)
    first, others = terms.shown(owning)
    ladder = sorted({to for of, to in pairs if of == used}, key=lambda model: (setting.prices.get(model, 0.0), model))
    move = Move(selector=_selector(group), used=used, route=route, ladder=[*ladder, used])
    return Finding(
        kind=group.kind,
        title=f"Route {name} by the policy ({used} → {route} and {more} more)"
        if more
        else f"Move {name} from {used} to {route}",
        detail=" ".join([_detail(group), *([_OVERLAP] if group.overlaps else [])]),
        action=_action(group.kind, name, f"{used} → {route}"),
        amount=usd(group.saved_pico),
        low=low,
        high=high,
        requests=moved["requests"],
        subject=name,
        p_suffices=mean(moved["p_nano"], moved["moved"]),
        overlaps=group.overlaps,
        owners=first,
        further_owners=others,
        commands=commands(move, policy=setting.policy, catalog=setting.catalog, sampling=options.sample_command),
        effort=terms.effort(owning, len(pairs)),
        quality=quality(
            moved=moved["moved"],
            lost=moved["lost_nano"] / NANO,
            gained=moved["gained_nano"] / NANO,
            saved_pico=group.saved_pico,
            replicates=grouped.lost,
            confidence=options.confidence,
        ),
        monthly=None if setting.days is None else usd(monthly_saving(group.days, setting.days, options=options)),
        condition=terms.condition(moved, group.repeat_pico, pairs, verdicts=options.posterior is not None),
    )


def _name(group: Group, owners: Sequence[Owner]) -> str:
    if group.column == "app":
        return f"app {group.subject}"
    if group.column == "model_id":
        return f"eligible {group.subject} calls"
    name = _template(group)
    apps = list(dict.fromkeys(owner.app for owner in owners))
    if len(apps) > 1:
        return f"{name} of {len(apps)} apps"
    return f"{name} of {apps[0]}" if apps and apps[0] else name


def _template(group: Group) -> str:
    """Return a template's short name, as ``cells.template_name`` does."""
    assert isinstance(group.subject, int)
    return f"template {group.subject:016x}"[:-8]


def _selector(group: Group) -> list[str]:
    """Return the options of ``sample`` that select a group's requests."""
    if group.column == "app":
        return [f"--app={group.subject}"]
    return [] if group.column == "model_id" else ["--template", _template(group).removeprefix("template ")]


def _bounds(grouped: _Grouped, options: AuditOptions) -> tuple[str | None, str | None]:
    """Return the interval of a finding's dollars: its resampled saved share times its cost, with its errors.

    It also holds what sampling gives alone, as that of the whole tax does: of errors that can only be against the
    policy the amount would be outside.
    """
    sampled = grouped.shares * total(grouped.group.bags, "cost_pico")
    held = [bounds(values, confidence=options.confidence) for values in (sampled + grouped.errors, sampled)]
    low, high = [part.low for part in held if part], [part.high for part in held if part]
    return (usd(round(min(low))), usd(round(max(high)))) if low else (None, None)


def _detail(group: Group) -> str:
    mine, moved = group.mine, group.moved
    whole = (
        f"{moved['moved']:,} of {mine['requests']:,} requests would move, "
        f"${moved['cost_pico'] / 1e12:,.2f} of ${mine['cost_pico'] / 1e12:,.2f}."
    )
    reasons = [f"{_OUTCOMES.get(outcome, outcome)} (${cost / 1e12:,.2f})" for outcome, cost in group.kept[:2]]
    return f"{whole} Kept: {'; '.join(reasons)}." if reasons else whole


def _action(kind: str, name: str, move: str) -> str:
    if kind == "route_model":
        return f"Enforce the policy in the gateway; start with {name}, {move}."
    return f"Try {move} on a sample of {name}, then route it."
