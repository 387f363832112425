"""One request's figures, every number from which its costs can be worked out by hand (see ``docs/method.md``)."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl

from llm_audit.audit.inspect.place import find
from llm_audit.audit.options import AuditOptions
from llm_audit.audit.parts import Job
from llm_audit.audit.simulation.asked import Asked
from llm_audit.audit.simulation.known import Engine, by_stages, known_of_one, known_of_parts
from llm_audit.catalog import Catalog
from llm_audit.document.explanation import Candidate, Estimate, Line, RequestExplanation
from llm_audit.ledger import Ledger
from llm_audit.money import usd
from llm_audit.policy import (
    ANSWERS,
    CEILING,
    CandidateFigures,
    Costs,
    Decision,
    Plan,
    Policy,
    Scenario,
    Scope,
    plan,
    read_traffic,
)
from llm_audit.pricing import PriceBook
from llm_audit.vocabulary import Stakes

__all__ = ["Engine", "explain"]


def explain(
    ledger: Ledger, request: str, *, policy: Policy, catalog: Catalog, book: PriceBook, engine: Engine | None = None
) -> RequestExplanation:
    """Explain one request, with the figures that an audit of the whole ledger has for it.

    Args:
        ledger: The ledger it is in.
        request: The id the log gives it, ``request_key`` as a number or in hexadecimal, or ``file:line``.
        policy: The policy.
        catalog: Models.
        book: Prices.
        engine: What reads the other partitions; this process by default.

    Raises:
        UsageError: No request is called that.
    """
    place = find(ledger, request)
    job = Job(ledger=ledger, policy=policy, catalog=catalog, book=book, options=AuditOptions())
    if policy.scope is Scope.TRACE:  # in which the routes of all traces count
        asked = Asked(policies=(policy,))
    else:
        asked = Asked(policies=(policy,), partition=place.partition, templates=place.templates)
    known = (
        known_of_one(job, asked)
        if ledger.partitions == 1
        else by_stages(job, asked, partial(known_of_parts, asked), engine=engine or Engine())
    )
    named = pl.concat(job.rows(place.partition, known.survey.times).priced())
    traffic = read_traffic([named], named.lazy().select, catalog, read_templates=known.survey.read_templates)
    applied = plan(traffic, policy, catalog=catalog, book=book, whole=known.wholes[0])
    row = named["request_key"].index_of(place.key)
    assert row is not None, "the partition has it"
    return _explained(ledger, applied, named, row, book)


def _explained(ledger: Ledger, applied: Plan, named: pl.DataFrame, place: int, book: PriceBook) -> RequestExplanation:
    row, policy = named.row(place, named=True), applied.policy
    requests, routed = applied.requests, applied.request(place)
    ratios = routed.length_ratios
    found = book.rates.filter(pl.col("price_id") == row["price_id"]).select("provider", "source").rows(named=True)
    rate = found[0] if found else {"provider": None, "source": None}
    item = ledger.manifest.inputs[row["input"]] if row["input"] is not None else None
    return RequestExplanation(
        request=f"{row['request_key']:016x}",
        file=item.path if item else "",
        line=row["line"] or 0,
        time=row["time"].isoformat() if row["time"] else None,
        provider=row["provider"],
        model=row["model"],
        model_id=row["model_id"],
        price_provider=rate["provider"],
        price_source=rate["source"],
        unpriced_reason=row["unpriced_reason"],
        category=row["category"],
        difficulty=row["difficulty"],
        judged=row["judged"],
        abstention=row["abstention"],
        stakes=row["stakes"],
        stakes_limit=_stakes_limit(policy, row["stakes"]),
        used_ability=routed.used_ability,
        actual_lines=_lines(routed.rates(used=True), routed.tokens(CEILING)),
        per_call_usd=usd(int(requests.per_call_cost[place])),
        actual_usd=usd(row["cost_pico"]) if row["cost_pico"] is not None else None,
        outcome=routed.outcome,
        route=routed.route_id,
        decision=policy.decision.value,
        decided_by=_decided_by(applied, row["category"]),
        candidates=[_candidate(found) for found in routed.candidates()],
        cache_reads_logged=int(requests.tokens["cache_read"][place]),
        cache_reads_kept=routed.cache_reads,
        tokenizer_ratio=round(ratios.tokenizer, 6),
        measured_output_ratio=_rounded(ratios.output),
        measured_reasoning_ratio=_rounded(ratios.reasoning),
        reasoning_tokens=int(requests.reasoning_tokens[place]),
        estimates=_estimates(applied, place),
    )


def _decided_by(applied: Plan, category: str | None) -> float | None:
    """Return the number that the policy decides this request by: of limits by category, its own."""
    if applied.policy.decision is Decision.QUALITY_LOSS and category is not None:
        return applied.policy.max_quality_loss[category]
    return applied.decision_value


def _stakes_limit(policy: Policy, stakes: str | None) -> str | None:
    """Write what the policy asks besides where something is at stake; None where it asks nothing."""
    limit = policy.stakes.get(Stakes(stakes)) if stakes is not None else None
    if limit is None:
        return None
    if limit.keep:
        return "keeps its model"
    most, least = limit.max_quality_loss, limit.min_success
    parts = [] if most is None else [f"loses at most {most:g} answer{'' if most == 1 else 's'} in 100"]
    parts += [] if least is None else [f"P(success) at least {least:g}"]
    return ", ".join(parts) or None


def _candidate(found: CandidateFigures) -> Candidate:
    liked = found.preference
    return Candidate(
        model=found.model,
        ability=found.ability,
        p_success=round(found.p_success, 6),
        p_suffices=round(found.p_suffices, 6),
        lost_in_100=round(found.loss * ANSWERS, 4),
        preference_gap=None if liked is None else round(liked.share, 6),
        preference_low=None if liked is None else round(liked.low, 6),
        preference_high=None if liked is None else round(liked.high, 6),
        cost_usd=usd(found.cost_pico),
        meets=found.meets,
        gate=found.gate,
        chosen=found.chosen,
    )


def _estimates(applied: Plan, place: int) -> list[Estimate]:
    """Return the three estimates; a ceiling is never above what is expected, and a floor never below it."""
    values, worse = applied.scenario(), applied.scenario("pessimistic")
    costs, pessimistic = applied.costs(values), applied.costs(worse)
    expected = costs.total[place]
    same_tokens = applied.ceiling()[place] <= expected
    floor = (worse, pessimistic) if pessimistic.total[place] >= expected else (values, costs)
    return [
        _estimate("ceiling", applied, place, *((CEILING, None) if same_tokens else (values, costs))),
        _estimate("expected", applied, place, values, costs),
        _estimate("floor", applied, place, *floor),
    ]


def _estimate(name: str, applied: Plan, place: int, values: Scenario, costs: Costs | None) -> Estimate:
    """Return an estimate; ``costs`` are those under ``values``, None at the same tokens."""
    run = int(applied.ceiling()[place] if costs is None else costs.run[place])
    check, escalation, extra = _additions(costs, place)
    routed = applied.request(place)
    p = routed.p_suffices if costs is None else _known(float(costs.p_suffices[place]))
    steps = routed.tool_loop() if applied.moved[place] else np.empty(0, dtype=np.int64)
    mean_step = None
    if costs is not None and len(steps):
        mean_step = usd(round(float((costs.run + costs.check)[steps].mean())))
    return Estimate(
        name=name,
        lines=_lines(routed.rates(), routed.tokens(values)),
        per_call_usd=usd(int(applied.requests.per_call_cost[place])),
        run_usd=usd(run),
        check_usd=usd(check),
        escalation_usd=usd(escalation),
        extra_steps_usd=usd(extra),
        total_usd=usd(run + check + escalation + extra),
        p_suffices=_rounded(p),
        agent_steps=len(steps),
        mean_step_usd=mean_step,
        assumptions={} if costs is None else {name: getattr(values, name) for name in values.__struct_fields__[:-1]},
    )


def _additions(costs: Costs | None, place: int) -> tuple[int, int, int]:
    if costs is None:
        return 0, 0, 0
    return int(costs.check[place]), int(costs.escalation[place]), int(costs.extra_steps[place])


def _known(p: float) -> float | None:
    return None if np.isnan(p) else p


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _lines(rates: dict[str, int | None], tokens: dict[str, int]) -> list[Line]:
    return [
        Line(
            kind=kind,
            tokens=tokens[kind],
            rate_usd_per_mtok=None if rate is None else usd(rate * 10**6),
            cost_usd="unknown" if rate is None else usd(rate * tokens[kind]),
        )
        for kind, rate in rates.items()
        if tokens[kind]
    ]
