"""A world whose truth is known: abilities are drawn as the catalogue believes them to be, outcomes from abilities."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
from tests.audit.build import assumed, catalog, ledger, rows

from llm_audit.audit.aggregate.clusters import Concentration
from llm_audit.audit.aggregate.risk import add_risk, risk_cells, risk_replicates
from llm_audit.audit.aggregate.rollups import merge, roll_up, with_date
from llm_audit.audit.run import AuditOptions, run
from llm_audit.audit.sections.estimates import Evidence, expected_tax
from llm_audit.classify.constants import RESIDUAL_SD
from llm_audit.policy import parse, route
from llm_audit.policy.inputs.models import models_of
from llm_audit.pricing import PriceBook, price

WORLDS = 40
CONVERSATIONS = 150
BELIEVED = {"gpt-4o": 2.0, "gpt-4o-mini": 0.5}
ABILITY_SD = 0.4


def traffic(random, conversations, first=1):
    """Conversations of one to six requests whose difficulties and sizes are alike."""
    requests = []
    for conversation in range(first, first + conversations):
        level, size = random.normal(-1.5, 1.0), random.lognormal(7, 0.7)
        requests += [
            {
                "conversation": conversation,
                "difficulty": level + random.normal(0, 0.5),
                "input_tokens": int(size * random.lognormal(0, 0.2)) + 1,
                "output_tokens": int(random.lognormal(5, 0.5)) + 1,
            }
            for _ in range(random.integers(1, 7))
        ]
    return requests


def routed(requests, policy, models, book):
    return route(price(rows(*requests), book), policy, catalog=models, book=book)


def routed_worlds(worlds, policy, models, book):
    """Each world's requests, routed; all at once, as no request's route depends on another's here."""
    together = routed([request for requests in worlds for request in requests], policy, models, book)
    ends = np.cumsum([len(requests) for requests in worlds])
    return [together[int(end) - len(requests) : int(end)] for requests, end in zip(worlds, ends, strict=True)]


def play(routes, random, abilities):
    """What the policy really pays, request by request: the route's answer, and the flagship's where that was lost."""
    moved = routes.filter(pl.col("outcome") == "moved")
    difficulty, cost_pico, ceiling_pico = (
        moved[name].to_numpy() for name in ("difficulty", "cost_pico", "ceiling_pico")
    )
    hidden = difficulty + random.normal(0, RESIDUAL_SD, len(moved))
    flagship_right, small_right = (
        random.random(len(moved)) < 1 / (1 + np.exp(hidden - abilities[model])) for model in ("gpt-4o", "gpt-4o-mini")
    )
    saved = np.where(flagship_right & ~small_right, -ceiling_pico, cost_pico - ceiling_pico)
    return int(saved.sum()) / routes["cost_pico"].sum()


def estimated(routes, policy, *, models, options):
    """The expected tax of an audit, by the stages that it comes from alone: many worlds are quickly judged by them."""
    dated = with_date(routes, timezone=options.timezone, billing=options.billing)
    risk, rollups = add_risk(risk_cells(dated)), merge([roll_up(dated)])
    sizes = dated.group_by("conversation").agg(pl.col("cost_pico").sum())["cost_pico"]
    evidence = Evidence(
        usage=rollups["usage"],
        subjects=rollups["subjects"],
        bags=rollups["bags"],
        risk=risk_replicates([risk], policy=policy, models=models_of(models), resamples=options.resamples),
        concentration=Concentration(conversations=len(sizes), largest_pico=sizes.max(), billed=len(sizes)),
        effects=(),
        unmeasured=None,
        preference=None,
    )
    return expected_tax(evidence, evidence.risk.cost_error[:, 0], options=options)


def test_the_stages_give_the_expected_tax_of_the_audit(tmp_path):
    models, book = catalog(BELIEVED, sd=ABILITY_SD), PriceBook()
    options = AuditOptions(resamples=300, confidence=0.9)
    for seed, policy in enumerate((assumed(escalation=1.0), assumed(escalation=1.0, difficulty_common_sd=0.75))):
        requests = traffic(np.random.default_rng(seed), CONVERSATIONS)
        made = ledger(tmp_path / str(seed), rows(*requests))
        audit = run(made, policy=policy, catalog=models, book=book, options=options)
        found = estimated(routed(requests, policy, models, book), policy, models=models, options=options)
        assert found == audit.document.flagship_tax.expected


def test_the_interval_holds_the_truth_as_often_as_it_says():
    policy = assumed(escalation=1.0)
    models = catalog(BELIEVED, sd=ABILITY_SD)
    book = PriceBook()
    large = routed(traffic(np.random.default_rng(99), 1_500), policy, models, book)
    options = AuditOptions(resamples=300, confidence=0.9)
    truths, worlds = [], []
    for seed in range(WORLDS):
        random = np.random.default_rng(seed)
        abilities = {model: level + random.normal(0, ABILITY_SD) for model, level in BELIEVED.items()}
        truths.append(play(large, random, abilities))
        worlds.append(traffic(random, CONVERSATIONS, first=1 + seed * CONVERSATIONS))
    held = biased = 0
    for truth, routes in zip(truths, routed_worlds(worlds, policy, models, book), strict=True):
        expected = estimated(routes, policy, models=models, options=options)
        held += expected.share_low <= truth <= expected.share_high
        biased += expected.share - truth
    # 40 intervals of 90 %: fewer than 31 would be a one-in-a-hundred event.
    assert held >= 31
    assert abs(biased / WORLDS) < 0.02


def test_an_error_that_all_difficulties_share_is_in_the_interval():
    """Every prompt is 0.75 logits harder than judged: an interval that allows for it holds the truth more often."""
    models, book = catalog(BELIEVED, sd=ABILITY_SD), PriceBook()
    policies = [assumed(escalation=1.0, difficulty_common_sd=spread) for spread in (0.0, 0.75)]
    large = routed(traffic(np.random.default_rng(99), 1_500), policies[0], models, book)
    options = AuditOptions(resamples=200, confidence=0.9)
    truths, worlds = [], []
    for seed in range(20):
        random = np.random.default_rng(seed)
        abilities = {model: level - 0.75 + random.normal(0, ABILITY_SD) for model, level in BELIEVED.items()}
        truths.append(play(large, random, abilities))
        worlds.append(traffic(random, CONVERSATIONS, first=1 + seed * CONVERSATIONS))
    held = []
    for policy in policies:
        intervals = [
            estimated(routes, policy, models=models, options=options)
            for routes in routed_worlds(worlds, policy, models, book)
        ]
        held.append(sum(tax.share_low <= truth <= tax.share_high for tax, truth in zip(intervals, truths, strict=True)))
    assert held[1] >= 16
    assert held[1] - held[0] >= 3


def test_an_assumption_s_range_is_in_the_interval(tmp_path):
    models, book = catalog(BELIEVED), PriceBook()
    frame = rows(*traffic(np.random.default_rng(1), CONVERSATIONS))
    fixed = assumed(escalation=1.0)
    ranged = parse(
        fixed.toml.replace(
            "output_ratio = 1.0", "output_ratio = { favourable = 0.5, expected = 1.0, pessimistic = 3.0 }"
        ).replace('.output_ratios]\n"gpt-4o>gpt-4o-mini" = 1.0', ".output_ratios]"),
        where="test policy",
    )
    widths = []
    for number, policy in enumerate((fixed, ranged)):
        tax = run(
            ledger(tmp_path / str(number), frame), policy=policy, catalog=models, book=book,
            options=AuditOptions(resamples=300),
        ).document.flagship_tax.expected  # fmt: skip
        part = next((part for part in tax.parts if part.source == "assumptions"), None)
        widths.append((float(tax.high) - float(tax.low), float(part.high) - float(part.low) if part else 0.0))
    assert widths[0][1] == 0 < widths[1][1]
    assert widths[1][0] > 1.05 * widths[0][0]


def test_the_expected_cost_is_the_mean_of_what_is_played_out():
    routes = routed(traffic(np.random.default_rng(5), 400), assumed(escalation=1.0), catalog(BELIEVED), PriceBook())
    played = [play(routes, np.random.default_rng(seed), BELIEVED) for seed in range(30)]
    expected = 1 - routes["expected_pico"].sum() / routes["cost_pico"].sum()
    error = np.std(played) / np.sqrt(len(played))
    assert abs(np.mean(played) - expected) < 4 * error + 1e-4
    assert Decimal(0) < expected


def test_a_cascade_costs_what_is_played_out():
    toml = 'decision = "p_suffices"\ntarget = 0.8\n[cascade]\ncheck_usd = 0.0002\nrecall = 0.8\nfalse_alarm = 0.1'
    routes = routed(traffic(np.random.default_rng(6), 400), assumed(toml), catalog(BELIEVED), PriceBook())
    moved = routes.filter(pl.col("outcome") == "moved")
    expected = moved["expected_pico"].sum()
    difficulty, cost_pico, ceiling_pico = (
        moved[name].to_numpy() for name in ("difficulty", "cost_pico", "ceiling_pico")
    )
    totals = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        hidden = difficulty + random.normal(0, RESIDUAL_SD, len(moved))
        right = random.random(len(moved)) < 1 / (1 + np.exp(hidden - BELIEVED["gpt-4o-mini"]))
        rejected = random.random(len(moved)) < np.where(right, 0.1, 0.8)
        totals.append(int((ceiling_pico + 200_000_000 + np.where(rejected, cost_pico, 0)).sum()))
    error = np.std(totals) / np.sqrt(len(totals))
    assert abs(np.mean(totals) - expected) < 4 * error
