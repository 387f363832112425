"""One request's figures, every number from which its costs can be worked out by hand (see ``docs/method.md``)."""

from __future__ import annotations

import contextlib

import numpy as np
import polars as pl
from xxhash import xxh3_64_intdigest

from llm_audit.arrays import Ints
from llm_audit.audit.sections.sensitivity import decided_by
from llm_audit.catalog import Catalog
from llm_audit.document.explanation import Candidate, Estimate, Explanation, Line
from llm_audit.errors import UsageError
from llm_audit.ledger import Ledger
from llm_audit.ledger.schema import TOKEN_TYPES
from llm_audit.money import usd
from llm_audit.policy.counterfactual.costs import UNKNOWN
from llm_audit.policy.counterfactual.estimates import Estimated, ceiling, run
from llm_audit.policy.counterfactual.lengths import CEILING, Scenario, scenario
from llm_audit.policy.counterfactual.traffic import traffic_of
from llm_audit.policy.file.model import Decision, Policy
from llm_audit.policy.inputs.models import NONE
from llm_audit.policy.plan import Plan
from llm_audit.policy.routes import plan, with_models
from llm_audit.policy.routing.decisions import OUTCOMES
from llm_audit.policy.routing.gates import REASONS
from llm_audit.pricing import PriceBook, price


def explain(ledger: Ledger, request: str, *, policy: Policy, catalog: Catalog, book: PriceBook) -> Explanation:
    """Explain one request.

    Args:
        ledger: The ledger it is in.
        request: The id the log gives it, ``request_key`` as a number or in hexadecimal, or ``file:line``.
        policy: The policy.
        catalog: Models.
        book: Prices.

    Raises:
        UsageError: No request is called that.
    """
    frame = ledger.scan().collect()
    found = frame.filter(_named(ledger, request))
    if not found.height:
        raise UsageError(
            f"No request is called {request!r}. Give the id the log gives it, its request_key or file:line."
        )
    key = found["request_key"][0]
    if policy.decision is not Decision.STRONG_WINS:
        frame = _context(frame, found.head(1))
    named = with_models(price(frame, book), catalog)
    place = int(named.with_row_index("place").filter(pl.col("request_key") == key)["place"][0])
    return _explained(ledger, plan(traffic_of(named, catalog), policy, catalog=catalog, book=book), named, place, book)


def _named(ledger: Ledger, request: str) -> pl.Expr:
    keys = [xxh3_64_intdigest(request.encode())]
    if request.isdigit():
        keys.append(int(request))
    with contextlib.suppress(ValueError):
        keys.append(int(request, 16))
    wanted = pl.lit(value=False)
    for key in keys:
        if key < 2**64:
            same = pl.lit(key, dtype=pl.UInt64)
            wanted |= (pl.col("request_id") == same).fill_null(value=False) | (pl.col("request_key") == same)
    file, _, line = request.rpartition(":")
    if file and line.isdigit():
        inputs = [number for number, item in enumerate(ledger.manifest.inputs) if item.path.endswith(file)]
        wanted |= pl.col("input").is_in(inputs) & (pl.col("line") == int(line))
    return wanted


def _context(frame: pl.DataFrame, one: pl.DataFrame) -> pl.DataFrame:
    """The requests that can touch this one's cache and trace: those of its conversation, trace and template."""
    near = pl.lit(value=False)
    for column in ("request_key", "conversation", "trace", "template_hash"):
        value = one[column][0]
        if value is not None:
            near |= (pl.col(column) == pl.lit(value, dtype=pl.UInt64)).fill_null(value=False)
    return frame.filter(near)


def _explained(ledger: Ledger, applied: Plan, named: pl.DataFrame, place: int, book: PriceBook) -> Explanation:
    row = named.row(place, named=True)
    requests, choice, models = applied.world.requests, applied.choice, applied.world.models
    used, category = int(requests.used[place]), int(requests.category[place])
    route = int(choice.route[place])
    assumptions = applied.policy.assumptions
    known = NONE not in (used, category)
    ratio = float(applied.world.lengths.tokenizer[used, route, category]) if known else 1.0
    lengths = applied.world.lengths
    output, reasoning = (
        float(table[used, route]) if known else np.nan for table in (lengths.output, lengths.reasoning)
    )
    source = book.rates.filter(pl.col("price_id") == row["price_id"])["source"] if row["price_id"] is not None else None
    item = ledger.manifest.inputs[row["input"]] if row["input"] is not None else None
    return Explanation(
        request=f"{row['request_key']:016x}",
        file=item.path if item else "",
        line=row["line"] or 0,
        time=row["time"].isoformat() if row["time"] else None,
        provider=row["provider"],
        model=row["model"],
        model_id=row["model_id"],
        price_source=source[0] if source is not None and len(source) else None,
        unpriced_reason=row["unpriced_reason"],
        category=row["category"],
        difficulty=row["difficulty"],
        judged=row["judged"],
        abstention=row["abstention"],
        used_ability=float(models.ability[used, category]) if known else None,
        actual_lines=_lines(applied, place, NONE, {kind: int(requests.tokens[kind][place]) for kind in TOKEN_TYPES}),
        per_call_usd=usd(int(requests.per_call_cost[place])),
        actual_usd=usd(row["cost_pico"]) if row["cost_pico"] is not None else None,
        outcome=OUTCOMES[choice.outcome[place]],
        route=models.ids[route] if route != NONE else None,
        decision=applied.policy.decision.value,
        decided_by=decided_by(applied.policy, applied.threshold),
        candidates=_candidates(applied, place),
        cache_reads_logged=int(requests.tokens["cache_read"][place]),
        cache_reads_kept=int(applied.warm[place]),
        tokenizer_ratio=round(ratio, 6),
        measured_output_ratio=None if np.isnan(output) else round(output, 6),
        measured_reasoning_ratio=None if np.isnan(reasoning) else round(reasoning, 6),
        reasoning_tokens=int(requests.reasoning_tokens[place]),
        estimates=[
            _estimate("ceiling", applied, place, CEILING),
            _estimate("expected", applied, place, scenario(assumptions)),
            _estimate("floor", applied, place, scenario(assumptions, "pessimistic")),
        ],
    )


def _candidates(applied: Plan, place: int) -> list[Candidate]:
    world, requests = applied.world, applied.world.requests
    rows = np.array([place])
    found = []
    for position in range(applied.ladder.shape[1]):
        seen = applied.assessor.assess(rows, position)
        if not len(seen.offers.rows):
            continue
        model = applied.assessor.candidates(rows, position)
        category, difficulty = requests.category[rows], requests.difficulty[rows]
        found.append(
            Candidate(
                model=world.models.ids[int(model[0])],
                ability=float(world.models.ability[int(model[0]), int(category[0])]),
                p_success=round(float(world.judge.success(model, category, difficulty)[0]), 6),
                p_suffices=round(float(seen.offers.p[0]), 6),
                cost_usd=usd(int(seen.offers.cost[0])),
                meets=bool(seen.meets[0]),
                gate=REASONS[seen.block[0]],
                chosen=int(applied.choice.position[place]) == position,
            )
        )
    return found


def _estimate(name: str, applied: Plan, place: int, values: Scenario) -> Estimate:
    position = int(applied.choice.position[place])
    tokens, run_pico, done = _run(applied, place, values)
    parts = [int(part[place]) for part in (done.check, done.escalation, done.extra_steps)] if done else [0, 0, 0]
    p = float((done or applied.choice).p_suffices[place])
    steps = _loop(applied, place) if position != NONE else np.empty(0, dtype=np.int64)
    mean_step = usd(round(float((done.run + done.check)[steps].mean()))) if done and len(steps) else None
    return Estimate(
        name=name,
        lines=_lines(applied, place, position, tokens),
        per_call_usd=usd(int(applied.world.requests.per_call_cost[place])),
        run_usd=usd(run_pico),
        check_usd=usd(parts[0]),
        escalation_usd=usd(parts[1]),
        extra_steps_usd=usd(parts[2]),
        total_usd=usd(run_pico + sum(parts)),
        p_suffices=None if np.isnan(p) else round(p, 6),
        agent_steps=len(steps),
        mean_step_usd=mean_step,
        assumptions={} if values == CEILING else {name: getattr(values, name) for name in values.__slots__[:-1]},
    )


def _loop(applied: Plan, place: int) -> Ints:
    """The rows of the agent steps of a request's trace, or else conversation; none where it is no such step."""
    steps = applied.world.steps
    at = np.flatnonzero(steps.row == place)
    return steps.row[steps.trace == steps.trace[at[0]]] if len(at) else np.empty(0, dtype=np.int64)


def _run(applied: Plan, place: int, values: Scenario) -> tuple[dict[str, int], int, Estimated | None]:
    """The request's tokens on its route and what they cost; and, but for the ceiling, all requests' estimates."""
    world, choice, rows = applied.world, applied.choice, np.array([place])
    if values == CEILING:
        tokens = world.requests.tokens
        return {kind: int(tokens[kind][place]) for kind in TOKEN_TYPES}, int(ceiling(world, choice)[place]), None
    done = applied.estimate(values)
    counts, _ = run(
        world.part(rows),
        position=choice.position[rows],
        route=choice.route[rows],
        warm=applied.warm[rows],
        policy=applied.policy,
        values=values,
    )
    return {kind: int(counts[kind][0]) for kind in TOKEN_TYPES}, int(done.run[place]), done


def _lines(applied: Plan, place: int, position: int, tokens: dict[str, int]) -> list[Line]:
    rates = applied.world.rates
    row = rates.rates[rates.rows[rates.key[place], position]]
    lines = []
    for kind, rate in zip(TOKEN_TYPES, row.tolist(), strict=True):
        count = tokens[kind]
        if count:
            known = rate != UNKNOWN
            lines.append(
                Line(
                    kind=kind,
                    tokens=count,
                    rate_usd_per_mtok=usd(rate * 10**6) if known else None,
                    cost_usd=usd(rate * count) if known else "unknown",
                )
            )
    return lines
