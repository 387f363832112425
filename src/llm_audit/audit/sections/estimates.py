"""The three estimates of the flagship tax, and the interval on the expected one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Floats
from llm_audit.audit.aggregate.clusters import Concentration
from llm_audit.audit.aggregate.interval import bounds, replicates
from llm_audit.audit.aggregate.normal import name_words, normals, uniforms
from llm_audit.audit.aggregate.risk import RiskReplicates
from llm_audit.audit.aggregate.rollups import NANO, judged, total, totals
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.sections.quality_loss import quality
from llm_audit.audit.sections.sensitivity import AssumptionEffect
from llm_audit.audit.sections.tables.cells import share
from llm_audit.document.audit import (
    FEW_CLUSTERS,
    Estimate,
    Expected,
    FlagshipTax,
    IntervalPart,
    PreferenceGap,
    Unmeasured,
)
from llm_audit.money import usd

DOMINATING_SHARE = 0.2
"""A cluster with more than this share of the cost decides the result alone."""

_NEVER_ROUTED = ("not_chat", "unpriced", "abstained")
"""Outcomes that come before the ladder is looked at."""


class Evidence(msgspec.Struct, kw_only=True, frozen=True):
    """Sums behind the estimates, which merge by addition but for the largest cluster's size, and what they are off by.

    Attributes:
        usage: The requests by how they were used; this and the next two see ``rollups``.
        subjects: The same by what findings are about.
        bags: Bags of conversations.
        risk: Of all requests first, then of each group that a finding is about, and last of what is billed by use.
        concentration: How many clusters there are, and the largest.
        effects: Of the policy's assumptions.
        unmeasured: What models that nobody measured might add.
        preference: What people prefer.
    """

    usage: pl.DataFrame
    subjects: pl.DataFrame
    bags: pl.DataFrame
    risk: RiskReplicates
    concentration: Concentration
    effects: Sequence[AssumptionEffect]
    unmeasured: Unmeasured | None
    preference: PreferenceGap | None


def flagship_tax(evidence: Evidence, *, options: AuditOptions, routes: bool) -> FlagshipTax:
    """Actual cost minus the policy's, three times, with an interval on the expected one.

    They are unknown where none of the requests could be judged and routed, see ``rollups.judged``; ``routes`` says
    whether the policy routes at all.
    """
    usage = evidence.usage
    actual, saved, moved = total(usage, "cost_pico"), total(usage, "saved_pico"), total(usage, "moved")
    by_template, templates = _level(evidence)
    covered = total(usage, "covered_pico")
    return FlagshipTax(
        ceiling=_estimate(usage, "ceiling_pico"),
        expected=expected_tax(evidence, evidence.risk.cost_error[:, 0], options=options),
        floor=_estimate(usage, "floor_pico"),
        covered_cost=usd(covered) if total(usage, "priced") else None,
        covered_share=share(covered, actual),
        moved_requests=moved,
        quality=quality(
            moved=moved,
            lost=total(usage, "lost_nano") / NANO,
            gained=total(usage, "gained_nano") / NANO,
            saved_pico=saved,
            replicates=evidence.risk.lost[:, 0],
            confidence=options.confidence,
        ),
        preference=evidence.preference,
        unmeasured=evidence.unmeasured,
        warnings=_warnings(evidence, by_template=by_template, templates=templates, actual=actual, routes=routes),
    )


def expected_tax(evidence: Evidence, errors: Floats, *, options: AuditOptions) -> Expected:
    """Return the expected tax with its interval.

    The interval's replicates add four errors: that other conversations might have been logged (sampling), that
    abilities and difficulties are estimates (model), that assumptions are (assumptions), and that a log states other
    costs than its prices give (price). It also holds what each would give alone. Amounts are the share's interval times
    the actual cost. Nothing is clamped at zero.

    Args:
        evidence: Of the requests that the tax is on.
        errors: The column of ``evidence.risk.cost_error`` that is of these requests.
        options: For the interval.
    """
    usage = evidence.usage
    if not judged(totals(usage)):
        return _unknown(evidence, options)
    actual = total(usage, "cost_pico")
    by_template, templates = _level(evidence)
    sums, cluster = (templates, "template_hash") if by_template else (_bags(evidence), "bucket")
    sampling = replicates(sums, cluster, "saved_pico", "cost_pico", resamples=options.resamples)
    model = -errors / actual if actual else errors
    assumptions = assumption_errors(evidence.effects, resamples=options.resamples)
    assumed = assumptions / actual if actual else assumptions
    saved = total(usage, "saved_pico")
    centre = saved / actual if actual else float("nan")
    price = centre * price_errors(usage, resamples=options.resamples)
    alone = {"sampling": sampling, "model": centre + model, "assumptions": centre + assumed}
    if price.any():
        alone["price"] = centre + price
    parts = {name: bounds(values, confidence=options.confidence) for name, values in alone.items()}
    held = [bounds(sampling + model + assumed + price, confidence=options.confidence), *parts.values()]
    low = min((part.low for part in held if part), default=None)
    high = max((part.high for part in held if part), default=None)
    clusters = templates.height if by_template else evidence.concentration.conversations
    return Expected(
        amount=usd(saved),
        share=share(saved, actual),
        policy_cost=usd(actual - saved),
        low=usd(saved if low is None else round(low * actual)),
        high=usd(saved if high is None else round(high * actual)),
        share_low=None if low is None else round(low, 6),
        share_high=None if high is None else round(high, 6),
        confidence=options.confidence,
        clusters=clusters,
        resamples=options.resamples,
        parts=[
            IntervalPart(source=source, low=usd(round(part.low * actual)), high=usd(round(part.high * actual)))
            for source, part in parts.items()
            if part is not None
        ],
    )


def _unknown(evidence: Evidence, options: AuditOptions) -> Expected:
    """Return the tax on requests none of which could be judged and routed."""
    return Expected(
        amount=None,
        share=None,
        policy_cost=None,
        low=None,
        high=None,
        share_low=None,
        share_high=None,
        confidence=options.confidence,
        clusters=evidence.concentration.conversations,
        resamples=options.resamples,
    )


def _level(evidence: Evidence) -> tuple[bool, pl.DataFrame]:
    """Decide whether to resample templates rather than conversations; also return the templates' sums.

    Templates are the larger clusters, and are taken where there are enough of them, since requests of one template rise
    and fall together. With fewer, conversations are: the interval then covers more traffic of the same templates.
    """
    priced = evidence.subjects.filter("has_price")
    templates = (
        priced.filter(pl.col("template_hash").is_not_null())
        .group_by("template_hash")
        .agg(pl.col("saved_pico").sum(), pl.col("cost_pico").sum())
    )
    lone = priced["template_hash"].null_count()
    enough = templates.height >= FEW_CLUSTERS and not lone
    fewer = templates.height < evidence.concentration.conversations
    return enough and fewer, templates


def _bags(evidence: Evidence) -> pl.DataFrame:
    return evidence.bags.group_by("bucket").agg(pl.col("saved_pico").sum(), pl.col("cost_pico").sum())


def _estimate(usage: pl.DataFrame, column: str) -> Estimate:
    if not judged(totals(usage)):
        return Estimate(amount=None, share=None, policy_cost=None)
    actual, policy_cost = total(usage, "cost_pico"), total(usage, column)
    return Estimate(
        amount=usd(actual - policy_cost), share=share(actual - policy_cost, actual), policy_cost=usd(policy_cost)
    )


def assumption_errors(effects: Sequence[AssumptionEffect], *, resamples: int) -> Floats:
    """Return by how many pico-dollars the expected tax is off in each replicate because of its assumptions.

    Each assumption is drawn from a triangular distribution over its range with its expected value as the mode (Johnson,
    "The triangular distribution as a proxy for the beta distribution in risk analysis", 1997), independently of the
    others. Its effect is taken as linear on each side of the expected value; ability and difficulty are drawn apart.
    """
    error = np.zeros(resamples)
    for effect in effects:
        if effect.assumption == "ability_shift":
            continue
        quantile = uniforms(name_words([f"assumption/{effect.assumption}"]), range(resamples))[:, 0]
        favourable = quantile < effect.weight
        # Distance from the mode, as a share of the side's length.
        below = 1 - np.sqrt(quantile / effect.weight) if effect.weight else np.zeros(resamples)
        above = 1 - np.sqrt((1 - quantile) / (1 - effect.weight)) if effect.weight < 1 else np.zeros(resamples)
        error += np.where(favourable, below * effect.favourable, above * effect.pessimistic)
    return error


def price_errors(usage: pl.DataFrame, *, resamples: int) -> Floats:
    """By what fraction prices are off in each replicate.

    Where the log states costs, a normal error whose standard deviation is the difference between what it states and
    what its tokens cost, over the actual cost of all requests; 0 where none differs: list prices are taken as paid.
    """
    priced = usage.filter(pl.col("priced") > 0)
    actual, stated, computed = (total(priced, f"{name}_pico") for name in ("cost", "stated_cost", "stated_computed"))
    spread = abs(stated - computed) / actual if actual else 0.0
    if not spread:
        return np.zeros(resamples)
    return spread * normals(name_words(["price"]), range(resamples))[:, 0]


def _warnings(
    evidence: Evidence, *, by_template: bool, templates: pl.DataFrame, actual: int, routes: bool
) -> list[str]:
    warnings = []
    conversations = evidence.concentration.conversations
    count = templates.height if by_template else conversations
    largest = max(templates["cost_pico"].to_list(), default=0) if by_template else evidence.concentration.largest_pico
    what = "template" if by_template else "conversation"
    if 0 < count < FEW_CLUSTERS:
        warnings.append(
            f"Only {count} {what}{'s' if count != 1 else ''}: below {FEW_CLUSTERS}, the interval is too narrow."
        )
    if actual and largest > DOMINATING_SHARE * actual:
        warnings.append(f"One {what} is {largest / actual:.0%} of the cost: the result rests on it.")
    if not by_template and 0 < templates.height < FEW_CLUSTERS <= conversations:
        warnings.append(
            f"Only {templates.height} prompt template{'s' if templates.height != 1 else ''}: "
            "the interval covers more traffic of the same templates, not other templates."
        )
    requests = total(evidence.usage, "requests")
    unnamed = evidence.usage.filter(pl.col("outcome") == "not_in_ladder")
    outside, kept = total(unnamed, "requests"), total(unnamed, "cost_pico")
    routable = requests - total(evidence.usage.filter(pl.col("outcome").is_in(_NEVER_ROUTED)), "requests")
    abstained = evidence.usage.filter(pl.col("outcome") == "abstained")
    unjudged, unnamed_too = total(abstained, "priced"), total(abstained, "certain")  # of which the ladder was not asked
    if (outside and outside == routable) or (routes and actual and not routable and 0 < unjudged == unnamed_too):
        warnings.append(
            "No request used a model of the policy's ladders, so none could move and a tax of zero means nothing. "
            "Give a policy with ladders for the models in the log; `llm-audit policy show` prints one to start from."
        )
    elif 2 * kept > actual:
        warnings.append(
            f"{kept / actual:.0%} of the cost is on models outside the policy's ladders, and is kept as it is."
        )
    gone = total(evidence.usage.filter(pl.col("outcome") == "not_offered"), "cost_pico")
    if 2 * gone > actual:
        warnings.append(
            f"{gone / actual:.0%} of the cost could only move to models that were unavailable or about to be retired. "
            "Give the policy ladders of available models."
        )
    blind = total(abstained, "cost_pico")
    if actual and blind > DOMINATING_SHARE * actual:
        warnings.append(f"{blind / actual:.0%} of the cost could not be judged, and is kept as it is.")
    return warnings
