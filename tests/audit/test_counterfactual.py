"""A world whose truth is known: abilities are drawn as the catalogue believes them to be, outcomes from abilities."""

from __future__ import annotations

import math
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


def traffic(random, conversations):
    """Conversations of one to six requests whose difficulties and sizes are alike."""
    requests = []
    for conversation in range(conversations):
        level, size = random.normal(-1.5, 1.0), random.lognormal(7, 0.7)
        requests += [
            {
                "conversation": conversation + 1,
                "difficulty": level + random.normal(0, 0.5),
                "input_tokens": int(size * random.lognormal(0, 0.2)) + 1,
                "output_tokens": int(random.lognormal(5, 0.5)) + 1,
            }
            for _ in range(random.integers(1, 7))
        ]
    return rows(*requests)


def play(routed, random, abilities):
    """What the policy really pays, request by request: the route's answer, and the flagship's where that was lost."""
    saved = 0
    moved = routed.filter(pl.col("outcome") == "moved").select("difficulty", "cost_pico", "ceiling_pico")
    for difficulty, cost_pico, ceiling_pico in moved.iter_rows():
        hidden = difficulty + random.normal(0, RESIDUAL_SD)
        flagship_right = random.random() < 1 / (1 + math.exp(hidden - abilities["gpt-4o"]))
        small_right = random.random() < 1 / (1 + math.exp(hidden - abilities["gpt-4o-mini"]))
        paid = ceiling_pico + (cost_pico if flagship_right and not small_right else 0)
        saved += cost_pico - paid
    return saved / routed["cost_pico"].sum()


def estimated(frame, policy, *, models, book, options):
    """The expected tax of an audit, by the stages that it comes from alone: many worlds are quickly judged by them."""
    routed = route(price(frame, book), policy, catalog=models, book=book)
    dated = with_date(routed, timezone=options.timezone, billing=options.billing)
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
        frame = traffic(np.random.default_rng(seed), CONVERSATIONS)
        made = ledger(tmp_path / str(seed), frame)
        audit = run(made, policy=policy, catalog=models, book=book, options=options)
        found = estimated(frame, policy, models=models, book=book, options=options)
        assert found == audit.document.flagship_tax.expected


def test_the_interval_holds_the_truth_as_often_as_it_says():
    policy = assumed(escalation=1.0)
    models = catalog(BELIEVED, sd=ABILITY_SD)
    book = PriceBook()
    template = price(traffic(np.random.default_rng(99), 1_500), book)
    large = route(template, policy, catalog=models, book=book)
    options = AuditOptions(resamples=300, confidence=0.9)
    held = biased = 0
    for seed in range(WORLDS):
        random = np.random.default_rng(seed)
        abilities = {model: level + random.normal(0, ABILITY_SD) for model, level in BELIEVED.items()}
        truth = play(large, random, abilities)
        expected = estimated(traffic(random, CONVERSATIONS), policy, models=models, book=book, options=options)
        held += expected.share_low <= truth <= expected.share_high
        biased += expected.share - truth
    # 40 intervals of 90 %: fewer than 31 would be a one-in-a-hundred event.
    assert held >= 31
    assert abs(biased / WORLDS) < 0.02


def test_an_error_that_all_difficulties_share_is_in_the_interval():
    """Every prompt is 0.75 logits harder than judged: an interval that allows for it holds the truth more often."""
    models, book = catalog(BELIEVED, sd=ABILITY_SD), PriceBook()
    policies = [assumed(escalation=1.0, difficulty_common_sd=spread) for spread in (0.0, 0.75)]
    large = route(price(traffic(np.random.default_rng(99), 1_500), book), policies[0], catalog=models, book=book)
    options = AuditOptions(resamples=200, confidence=0.9)
    held = [0, 0]
    for seed in range(20):
        random = np.random.default_rng(seed)
        abilities = {model: level - 0.75 + random.normal(0, ABILITY_SD) for model, level in BELIEVED.items()}
        truth = play(large, random, abilities)
        frame = traffic(random, CONVERSATIONS)
        for number, policy in enumerate(policies):
            expected = estimated(frame, policy, models=models, book=book, options=options)
            held[number] += expected.share_low <= truth <= expected.share_high
    assert held[1] >= 16
    assert held[1] - held[0] >= 3


def test_an_assumption_s_range_is_in_the_interval(tmp_path):
    frame, models, book = traffic(np.random.default_rng(1), CONVERSATIONS), catalog(BELIEVED), PriceBook()
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
    models, book = catalog(BELIEVED), PriceBook()
    routed = route(
        price(traffic(np.random.default_rng(5), 400), book), assumed(escalation=1.0), catalog=models, book=book
    )
    played = [play(routed, np.random.default_rng(seed), BELIEVED) for seed in range(30)]
    expected = 1 - routed["expected_pico"].sum() / routed["cost_pico"].sum()
    error = np.std(played) / np.sqrt(len(played))
    assert abs(np.mean(played) - expected) < 4 * error + 1e-4
    assert Decimal(0) < expected


def test_a_cascade_costs_what_is_played_out():
    models, book = catalog(BELIEVED), PriceBook()
    toml = 'decision = "p_suffices"\ntarget = 0.8\n[cascade]\ncheck_usd = 0.0002\nrecall = 0.8\nfalse_alarm = 0.1'
    frame = traffic(np.random.default_rng(6), 400)
    routed = route(price(frame, book), assumed(toml), catalog=models, book=book)
    moved = routed.filter(pl.col("outcome") == "moved")
    expected = moved["expected_pico"].sum()
    moved = moved.select("difficulty", "cost_pico", "ceiling_pico")
    totals = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        paid = 0
        for difficulty, cost_pico, ceiling_pico in moved.iter_rows():
            hidden = difficulty + random.normal(0, RESIDUAL_SD)
            right = random.random() < 1 / (1 + math.exp(hidden - BELIEVED["gpt-4o-mini"]))
            rejected = random.random() < (0.1 if right else 0.8)
            paid += ceiling_pico + 200_000_000 + (cost_pico if rejected else 0)
        totals.append(paid)
    error = np.std(totals) / np.sqrt(len(totals))
    assert abs(np.mean(totals) - expected) < 4 * error
