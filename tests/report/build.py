"""Documents to render: a rich one, an almost empty one, and ones whose every name is hostile.

The rich one sums up made-up requests, so its parts agree with each other as a real audit's do.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import msgspec

from llm_audit.document import audit as d
from llm_audit.money import usd

DOLLAR = 10**12
MODELS = {  # model: provider, tier, pico-dollars per input and output token, the model the policy assigns
    "claude-opus-4-5": ("anthropic", "frontier", 5_000_000, 25_000_000, "claude-haiku-4-5"),
    "claude-sonnet-4-5": ("anthropic", "mid", 3_000_000, 15_000_000, "claude-haiku-4-5"),
    "claude-haiku-4-5": ("anthropic", "small", 1_000_000, 5_000_000, None),
    "gpt-5": ("openai", "frontier", 1_250_000, 10_000_000, "gpt-5-mini"),
    "gpt-5-mini": ("openai", "small", 250_000, 2_000_000, None),
    "gemini-2.5-pro": ("google", "frontier", 1_250_000, 10_000_000, "gemini-2.5-flash"),
    "gemini-2.5-flash": ("google", "small", 300_000, 2_500_000, None),
    "mistral-medium-2508": ("mistral", "mid", 400_000, 2_000_000, None),
}
APPS = {  # app: team, models and their weights, kind of task, input and output tokens
    "helpdesk": ("support", (("claude-opus-4-5", 7), ("claude-haiku-4-5", 2)), "knowledge", 2600, 420),
    "ticket-tags": ("support", (("gpt-5", 6), ("gpt-5-mini", 3)), "instruction", 900, 60),
    "code-agent": ("platform", (("claude-opus-4-5", 5), ("claude-sonnet-4-5", 4)), "tool_use", 9800, 900),
    "contracts": ("legal", (("gemini-2.5-pro", 5), ("gemini-2.5-flash", 1)), "long_context", 21000, 700),
    "ad-copy": ("marketing", (("gpt-5", 3), ("mistral-medium-2508", 4)), "writing", 700, 650),
}
ABILITY = {"knowledge": 0.62, "instruction": 0.93, "tool_use": 0.41, "long_context": 0.72, "writing": 0.85}
OUTCOMES = ("moved", "no_capable_model", "gated", "abstained", "already_cheapest")


@dataclass(frozen=True)
class Call:
    date: str
    team: str
    app: str
    model: str
    route: str
    category: str
    input: int
    cached: int
    output: int
    cost: int
    policy: int
    ceiling: int
    outcome: str

    @property
    def tokens(self) -> int:
        return self.input + self.cached + self.output


def calls(days: int = 30, seed: int = 7) -> list[Call]:
    rng = random.Random(seed)
    made = []
    for day in range(days):
        today = date(2026, 9, 1) + timedelta(days=day)
        busy = 60 if today.weekday() < 5 else 18
        for app, (team, models, category, tokens_in, tokens_out) in APPS.items():
            for _ in range(int(busy * rng.uniform(0.55, 1.0))):
                model = rng.choices([m for m, _ in models], [w for _, w in models])[0]
                _, _, price_in, price_out, smaller = MODELS[model]
                prompt = int(tokens_in * rng.lognormvariate(0, 0.5))
                cached = prompt * 2 // 3 if app == "code-agent" and rng.random() < 0.7 else 0
                output = int(tokens_out * rng.lognormvariate(0, 0.6))
                cost = (prompt - cached) * price_in + cached * price_in // 10 + output * price_out
                outcome = "already_cheapest"
                if smaller:
                    moved = rng.random() < ABILITY[category]
                    outcome = "moved" if moved else rng.choices(OUTCOMES[1:4], [5, 2, 3])[0]
                route = smaller if outcome == "moved" and smaller else model
                _, _, small_in, small_out, _ = MODELS[route]
                ceiling = (prompt - cached) * small_in + cached * small_in // 10 + output * small_out
                policy = ceiling if outcome != "moved" else ceiling * 23 // 20
                made.append(
                    Call(str(today), team, app, model, route, category, prompt - cached, cached, output, cost, policy,
                         ceiling, outcome)
                )  # fmt: skip
    return made


def _gap(moved: int) -> d.PreferenceGap:
    return d.PreferenceGap(gap=0.126, low=0.11, high=0.141, known_requests=moved, moved_requests=moved)


def _by(rows: Iterable[Call], key: Callable[[Call], Any]) -> dict[Any, list[Call]]:
    grouped = defaultdict(list)
    for row in rows:
        grouped[key(row)].append(row)
    return dict(sorted(grouped.items(), key=lambda item: -sum(c.cost for c in item[1])))


def _cost(rows: Iterable[Call]) -> int:
    return sum(row.cost for row in rows)


def _policy(rows: Iterable[Call]) -> int:
    return sum(row.policy for row in rows)


def _tax(rows: Iterable[Call], paid: int, low: float = 1, high: float = 1) -> d.Expected:
    amount = _cost(rows) - _policy(rows)
    return d.Expected(
        amount=usd(amount), share=amount / paid, policy_cost=usd(_policy(rows)), low=usd(int(amount * low)),
        high=usd(int(amount * high)), share_low=amount * low / paid, share_high=amount * high / paid,
        confidence=0.95, clusters=812, resamples=2000,
    )  # fmt: skip


def _groups(rows: list[Call], paid: int, key: Callable[[Call], str]) -> list[d.GroupRow]:
    return [
        d.GroupRow(
            name=name, requests=len(part), tokens=sum(c.tokens for c in part), cost=usd(_cost(part)),
            cost_share=_cost(part) / paid, policy_cost=usd(_policy(part)),
            flagship_tax=usd(_cost(part) - _policy(part)), unpriced_requests=0,
            moved_requests=sum(c.outcome == "moved" for c in part),
            covered_share=_cost([c for c in part if c.outcome not in {"abstained", "gated"}]) / _cost(part),
        )
        for name, part in _by(rows, key).items()
    ]  # fmt: skip


@cache
def rich(days: int = 30) -> d.Document:
    """About 5,000 requests, four teams, eight models, every section filled."""
    rows = calls(days)
    paid, policy, n = _cost(rows), _policy(rows), len(rows)
    ceiling, floor = sum(r.ceiling for r in rows), policy + (paid - policy) // 3
    tokens = sum(r.tokens for r in rows)
    mix = [
        d.ModelMix(
            provider=MODELS[m][0], model=m, tier=MODELS[m][1], requests=len(part), request_share=len(part) / n,
            tokens=sum(c.tokens for c in part), token_share=sum(c.tokens for c in part) / tokens,
            cost=usd(_cost(part)), cost_share=_cost(part) / paid,
        )
        for m, part in _by(rows, lambda c: c.model).items()
    ]  # fmt: skip
    mix.append(
        d.ModelMix(provider="internal", model="acme-ft-7b", tier="unknown", requests=41, request_share=41 / n,
                   tokens=60_210, token_share=60_210 / tokens, cost=None, cost_share=None)
    )  # fmt: skip
    days_rows = sorted(_by(rows[3:], lambda c: c.date).items())  # the first three have no time
    tiers = {day: _by(part, lambda c: MODELS[c.model][1]) for day, part in days_rows}
    return d.Document(
        schema_version=d.SCHEMA_VERSION,
        tool=d.Tool(name="llm-audit", version="0.1.0"),
        command="llm-audit analyze logs/ --policy small-by-default -o report.html",
        period=d.Period(start=f"{days_rows[0][0]}T06:12:09+00:00", end=f"{days_rows[-1][0]}T22:47:51+00:00",
                        days=len(days_rows), timezone="UTC", undated_requests=3),
        currency="USD",
        currency_note=None,
        requests=d.Requests(read=n + 41 + 118 + 240 + 17, audited=n + 41, duplicates=118, not_provider_calls=240,
                            rejected=17),
        rejected=[
            d.RejectedReason(reason="malformed_json", count=14,
                             examples=[d.Example(file="logs/gateway-03.jsonl.gz", line=1204)]),
            d.RejectedReason(reason="negative_tokens", count=3, examples=[d.Example(file="logs/batch.jsonl", line=88)]),
        ],
        not_provider_calls=[d.ReasonCount(reason="gateway_cache_hit", count=201),
                            d.ReasonCount(reason="parent_span", count=39)],
        tokens=d.Tokens(input=sum(r.input for r in rows), cache_read=sum(r.cached for r in rows),
                        cache_write_5m=182_400, cache_write_1h=0, output=sum(r.output for r in rows),
                        audio_input=0, audio_output=0, reasoning=sum(r.output for r in rows) // 5,
                        estimated=41_250, ambiguous=9_300),
        cost=d.Cost(
            actual=usd(paid), priced_requests=n, unpriced_requests=41,
            by_token_type={
                "input": usd(sum(r.input * MODELS[r.model][2] for r in rows)),
                "cache_read": usd(sum(r.cached * MODELS[r.model][2] // 10 for r in rows)),
                "output": usd(sum(r.output * MODELS[r.model][3] for r in rows)),
            },
            stated=usd(paid * 101 // 200), stated_requests=n // 2, estimated=usd(paid // 120),
            ambiguous=usd(paid // 900),
        ),
        flagship_tax=d.FlagshipTax(
            ceiling=d.Estimate(amount=usd(paid - ceiling), share=(paid - ceiling) / paid, policy_cost=usd(ceiling)),
            expected=_tax(rows, paid, 0.86, 1.11),
            floor=d.Estimate(amount=usd(paid - floor), share=(paid - floor) / paid, policy_cost=usd(floor)),
            covered_cost=usd(_cost(r for r in rows if r.outcome not in {"gated", "abstained"})),
            covered_share=_cost(r for r in rows if r.outcome not in {"gated", "abstained"}) / paid,
            moved_requests=sum(r.outcome == "moved" for r in rows),
            quality=d.Quality(lost_answers=63.4, gained_answers=41.2, lost_per_1000=22.277, lost_per_1000_low=9.1,
                              lost_per_1000_high=48.5, saved_per_lost_answer="0.80"),
            preference=d.PreferenceGap(gap=0.0874, low=0.071, high=0.1042, known_requests=900, moved_requests=1000),
            unmeasured=d.Unmeasured(amount="6.20", requests=311, models=["gpt-5-nano", "nova-2-lite"]),
            warnings=["One conversation has 21% of the spend; the interval may be too narrow."],
        ),
        coverage=[
            d.Coverage(outcome=o, requests=len(part), cost=usd(_cost(part)), cost_share=_cost(part) / paid)
            for o, part in _by(rows, lambda r: r.outcome).items()
        ],
        model_mix=mix,
        model_mix_daily=[
            d.DailyMix(date=day, model=m, provider=MODELS[m][0], tier=MODELS[m][1], requests=len(part),
                       tokens=sum(c.tokens for c in part), cost=usd(_cost(part)), unpriced_requests=0)
            for day, whole in days_rows for m, part in sorted(_by(whole, lambda c: c.model).items())
        ],
        daily=[
            d.Day(date=day, requests=len(part), tokens=sum(c.tokens for c in part), cost=usd(_cost(part)),
                  policy_cost=usd(_policy(part)), cost_by_tier={t: usd(_cost(p)) for t, p in tiers[day].items()})
            for day, part in days_rows
        ],
        routes=[
            d.Route(from_model=f, to_model=t, requests=len(part), actual_cost=usd(_cost(part)),
                    policy_cost=usd(_policy(part)), p_suffices=0.91 if f != t else None,
                    preference=_gap(len(part)) if f != t else None)
            for (f, t), part in sorted(_by(rows, lambda r: (r.model, r.route)).items(),
                                       key=lambda i: _policy(i[1]) - _cost(i[1]))
        ],
        classification=d.Classification(
            scored=n * 7 // 10, inherited=n // 5, abstained=n + 41 - n * 7 // 10 - n // 5,
            by_category=[d.CategoryRow(category=c, requests=len(p), cost=usd(_cost(p)), mean_difficulty=1 - ABILITY[c])
                         for c, p in _by(rows, lambda r: r.category).items()],
            abstentions=[d.ReasonCount(reason="redacted", count=210), d.ReasonCount(reason="no_signal", count=184)],
        ),
        gates=[d.Gate(reason="context_window", requests=51, cost=usd(3 * DOLLAR), kept_back=usd(2 * DOLLAR)),
               d.Gate(reason="unknown_vision", requests=12, cost=usd(DOLLAR // 3), kept_back=usd(DOLLAR // 5))],
        groups={
            "team": _groups(rows, paid, lambda r: r.team),
            "app": _groups(rows, paid, lambda r: r.app),
            "model": _groups(rows, paid, lambda r: r.model),
            "category": _groups(rows, paid, lambda r: r.category),
            "template": _groups(rows, paid, lambda r: f"{r.app}-{r.category}"),
        },
        spend=[
            d.Spend(team=t, app=a, model=m, provider=MODELS[m][0], tier=MODELS[m][1], requests=len(p),
                    tokens=sum(c.tokens for c in p), cost=usd(_cost(p)))
            for (t, a, m), p in _by(rows, lambda r: (r.team, r.app, r.model)).items()
        ],
        run_rate=d.RunRate(
            reason=None, whole_days=28, confidence=0.9, rhythm="day_of_week", by_weekday=["4.50"] * 5 + ["2.75"] * 2,
            monthly=d.Projection(amount="129.66", low="118.02", high="141.30"),
            annual=d.Projection(amount="1555.92", low="1498.10", high="1613.74"),
            month_end=d.MonthEnd(
                month="2026-09", spent="127.80", expected_days=2, amount="128.90", low="127.80", high="131.05"
            ),
            tax_monthly="51.77", tax_annual="621.24",
        ),
        departures=[
            d.Departure(
                kind="spike", start=days_rows[-1][0], end=days_rows[-1][0], days=1, cost="9.10", usual_cost="4.05",
                amount="5.05",
                parts=[d.CausePart(name="requests", amount="5.45"), d.CausePart(name="model_mix", amount="-0.40"),
                       d.CausePart(name="tokens_per_request", amount="0.00"), d.CausePart(name="price", amount="0.00")],
                owners=[d.CauseOwner(team="legal", app="contracts", model="gemini-2.5-pro", amount="5.30"),
                        d.CauseOwner(team=None, app=None, model=None, amount="-0.25")],
            )
        ],
        spenders={
            kind: [d.Spender(name=name, requests=40, cost="4.20", cost_share=0.032864, unpriced_requests=0),
                   d.Spender(name=None, others=7, requests=90, cost=None, cost_share=None, unpriced_requests=90)]
            for kind, name in (("user", "ann"), ("tag:customer", "acme"))
        } | {
            "trace": [d.Spender(name="98a3d797dadf86f2", requests=40, cost="4.20", cost_share=0.032864,
                                unpriced_requests=0, apps=["helpdesk"], models=[*MODELS][:4]),
                      d.Spender(name=None, others=7, requests=90, cost=None, cost_share=None, unpriced_requests=90)],
        },
        findings=[
            d.Finding(kind="route_app", title=f"{app} uses {used} where {to} would do",
                      detail=f"{len(p):,} requests of {app}, mostly {p[0].category}.",
                      action=f"Send {app} to {to}; keep {used} for what it escalates.",
                      amount=usd(_cost(p) - _policy(p)), low=usd((_cost(p) - _policy(p)) * 4 // 5),
                      high=usd((_cost(p) - _policy(p)) * 6 // 5), requests=len(p), subject=app, p_suffices=0.9,
                      owners=[d.Owner(team=p[0].team, app=app, share=1.0)], effort="low",
                      monthly=usd(_cost(p) - _policy(p)),
                      commands=[f"llm-audit sample logs --app={app} --from {used} --to {to} -o worksheet.jsonl",
                                f"llm-audit policy export small-by-default --to litellm --ladder {to},{used}"],
                      condition=f"The answers of {to} to these requests hold up as published scores say, and fewer "
                                f"than 41.0% of them are repeated on {used} (4.0% expected).",
                      quality=d.Quality(lost_answers=len(p) * 0.0125, gained_answers=0.0, lost_per_1000=12.5,
                                        lost_per_1000_low=4.0, lost_per_1000_high=30.0, saved_per_lost_answer=None))
            for (app, used, to), p in sorted(
                _by([r for r in rows if r.outcome == "moved"], lambda r: (r.app, r.model, r.route)).items(),
                key=lambda i: _policy(i[1]) - _cost(i[1]))
        ],
        waste=[
            d.Waste(kind="failed_requests", title="Requests that failed and were billed",
                    detail="Most are time-outs of contracts.", amount=usd(DOLLAR * 2), requests=64),
            d.Waste(kind="cache_never_used", title="A stable prefix never cached",
                    detail="helpdesk sends the same 1,900 tokens first.", amount=usd(DOLLAR), requests=900),
            d.Waste(kind="unused_tools", title="Tool definitions that are never called",
                    detail="Tools that no reply of their template calls.", amount=usd(DOLLAR // 2), requests=310,
                    parts=[d.WastePart(name="github (MCP server)", amount=usd(DOLLAR // 4)),
                           d.WastePart(name=None, others=3, amount=usd(DOLLAR // 4))]),
        ],
        unpriced_models=[d.UnpricedModel(provider="internal", model="acme-ft-7b", requests=41, tokens=60_210,
                                         reason="unknown_model")],
        reconciliation=[d.Reconciliation(provider="openai", model="gpt-5", requests=900, stated="11.20",
                                         computed="10.95", difference="0.25", reason="stated_without_cache_discount")],
        price_rows=[
            d.PriceRow(provider=p, model=m, service_tier="standard", since="2026-01-01", context_from=0,
                       rates={"input": usd(i * 10**6), "output": usd(o * 10**6)}, source="genai-prices", matched=m,
                       requests=sum(r.model == m for r in rows))
            for m, (p, _, i, o, _) in MODELS.items()
        ],
        sensitivity=d.Sensitivity(
            frontier=[
                d.FrontierPoint(target=limit, policy_cost=usd(int(paid * cost)),
                                flagship_tax=usd(int(paid * (1 - cost))),
                                share=1 - cost, moved_requests=int(n * (1.2 - cost)), lost_answers=lost,
                                gained_answers=lost / 3, in_use=limit == 2.0)
                for limit, cost, lost in (
                    (0.25, 0.91, 2.5), (0.5, 0.83, 9.0), (1.0, 0.71, 27.0), (2.0, 0.6, 63.4), (3.0, 0.55, 97.0),
                    (5.0, 0.49, 160.0), (10.0, 0.44, 290.0), (25.0, 0.41, 610.0))
            ],
            tornado=[
                d.TornadoBar(assumption=a, low_value=lo, high_value=hi, tax_at_low=usd(int((paid - policy) * x)),
                             tax_at_high=usd(int((paid - policy) * y)))
                for a, lo, hi, x, y in (
                    ("escalation rate", "5%", "30%", 1.18, 0.71), ("steps per task", "1.0x", "1.6x", 1.1, 0.8),
                    ("output length", "0.9x", "1.4x", 1.06, 0.88), ("cache lifetime", "1 h", "5 min", 1.03, 0.96))
            ],
        ),
        policy=d.PolicyInfo(
            name="small-by-default", decision="quality_loss", target=2.0,
            ladders={"anthropic": ["claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5"],
                     "openai": ["gpt-5-mini", "gpt-5"], "google": ["gemini-2.5-flash", "gemini-2.5-pro"]},
            assumptions={"output_length": "1.15x", "steps": "1.0x chat, 1.25x agents"},
            gates=["context_window", "max_output", "vision", "tools"],
            toml='name = "small-by-default"\ndecision = "quality_loss"\nmax_quality_loss = 2.0\n',
        ),
        quality=[
            d.QualityCheck(check="unpriced_requests", level="warning", count=41, share=41 / n,
                           message="41 requests have no known price and are in no dollar figure."),
            d.QualityCheck(check="estimated_tokens", level="note", count=88, share=88 / n,
                           message="88 requests had no usage; their tokens were counted from text."),
            d.QualityCheck(check="clock", level="ok", count=0, share=0.0, message="All times are within the period."),
        ],
        warnings=["41 requests use a model without a known price."],
        inputs=[d.Input(path=f"logs/gateway-{i:02d}.jsonl.gz", sha256=f"{i:02x}" * 32, bytes=1_204_551 + i,
                        records=n // 3, format="litellm") for i in range(1, 4)],
        fingerprints=d.Fingerprints(prices="a1b2c3d4e5f60718", policy="0f1e2d3c4b5a6978", classifier="99aa88bb77cc66dd",
                                    config="1234567890abcdef", ledger="fedcba0987654321"),
        trace_routing=d.TraceRouting(traces=211, requests=904, decisions=530, inferred_edges=37, per_request="50.91",
                                     per_trace="50.12", risk_per_request="2.40", risk_per_trace="1.85"),
        stakes=d.Stakes(
            held_requests=33, further_saving="1.24", further_lost_answers=2.4,
            rows=[
                d.StakesRow(stakes=name, requests=count, cost=usd(cost), moved_requests=moved, held_requests=held,
                            further_saving=saving, further_lost_answers=lost)
                for name, count, cost, moved, held, saving, lost in (
                    ("none", n + 41 - 83, paid - paid // 12, n // 2, 0, "0.00", 0.0),
                    ("legal", 52, paid // 12 - paid // 60, 11, 22, "1.01", 1.9),
                    ("destructive", 31, paid // 60, 3, 11, "0.23", 0.5))
            ],
        ),
        languages=[
            d.LanguageRow(language="en", requests=n - n // 4 - n // 40, cost=usd(paid - paid // 4),
                          abstained_requests=0, abstained_cost="0.00"),
            d.LanguageRow(language="de", requests=n // 4, cost=usd(paid // 5), abstained_requests=12,
                          abstained_cost=usd(paid // 500)),
            d.LanguageRow(language="thai", requests=n // 40, cost=usd(paid // 4 - paid // 5),
                          abstained_requests=n // 40, abstained_cost=usd(paid // 4 - paid // 5)),
            d.LanguageRow(language=None, requests=41, cost=None, abstained_requests=41, abstained_cost=None),
        ],
        break_even=[
            d.BreakEven(assumption="extra_steps", assumed=0.8, break_even=6.1506, detail="Steps that an agent adds"),
            d.BreakEven(assumption="escalation", assumed=1.0, break_even=None, detail="Times asked again"),
        ],
        observed_pairs=[
            d.ObservedPair(template="template 4e9c1c2a", app="helpdesk", costlier="claude-opus-4-5",
                           cheaper="claude-haiku-4-5", requests_costlier=700, requests_cheaper=200,
                           observed_cost_ratio=0.2134, observed_output_ratio=1.071, expected_cost_ratio=0.2311),
            d.ObservedPair(template="template 77b0aa01", app="", costlier="gpt-5", cheaper="mistral-medium-2508",
                           requests_costlier=300, requests_cheaper=400, observed_cost_ratio=0.2502,
                           observed_output_ratio=0.988, expected_cost_ratio=None),
        ],
        observed_routers=[
            d.ObservedRouter(router="default-prompt-router/amazon.nova:1", fallback="amazon.nova-pro-v1:0", requests=22,
                             requests_elsewhere=16, actual_cost="0.00207834", fallback_cost="0.006192",
                             saved="0.00411366", saved_share=0.664351),
        ],
    )  # fmt: skip


def sparse() -> d.Document:
    """One request of an unknown model without a time: nearly every section is empty."""
    nothing = d.Estimate(amount=None, share=None, policy_cost=None)
    fields = {f.name: [] for f in msgspec.structs.fields(d.Document) if str(f.type).startswith("list")}
    return msgspec.structs.replace(
        rich(1),
        **fields,
        period=d.Period(start=None, end=None, days=0, timezone="UTC", undated_requests=1),
        requests=d.Requests(read=1, audited=1, duplicates=0, not_provider_calls=0, rejected=0),
        tokens=d.Tokens(**dict.fromkeys(d.Tokens.__struct_fields__, 0)),
        cost=d.Cost(actual=None, priced_requests=0, unpriced_requests=1, by_token_type={}, stated=None,
                    stated_requests=0, estimated=None, ambiguous=None),
        flagship_tax=d.FlagshipTax(
            ceiling=nothing, floor=nothing, covered_cost=None, covered_share=None, moved_requests=0,
            quality=None, unmeasured=None, warnings=[],
            expected=d.Expected(amount=None, share=None, policy_cost=None, low=None, high=None, share_low=None,
                                share_high=None, confidence=0.95, clusters=0, resamples=0),
        ),
        classification=d.Classification(scored=0, inherited=0, abstained=1, by_category=[], abstentions=[]),
        groups={}, spenders={},
        trace_routing=None,
        stakes=None,
        run_rate=d.RunRate(reason="no request has a price", whole_days=0, confidence=0.95),
        sensitivity=d.Sensitivity(frontier=[], tornado=[]),
    )  # fmt: skip


def billing(*, billed: bool = True, equivalent: bool = True) -> d.Billing:
    """$10 of 100 requests that are billed, and $30 of 50 on a plan that costs $20 a month, over half a month."""
    interval = d.Expected(amount="2.00", share=0.2, policy_cost="8.00", low="1.00", high="3.00", share_low=0.1,
                          share_high=0.3, confidence=0.9, clusters=80, resamples=1000)  # fmt: skip
    parts = {
        "billed": d.BillingPart(requests=104, priced_requests=100, cost="10.00", policy_cost="8.00",
                                flagship_tax="2.00", share=0.2, expected=interval if equivalent else None),
        "api_equivalent": d.BillingPart(requests=50, priced_requests=50, cost="30.00", policy_cost="24.00",
                                        flagship_tax="6.00", share=0.2),
    }  # fmt: skip
    rows = [
        d.BillingRow(basis="pay_as_you_go", declared_by=None, requests=104, unpriced_requests=4, cost="10.00",
                     policy_cost="8.00", flagship_tax="2.00", plan_cost=None, leverage=None),
        d.BillingRow(basis="subscription", declared_by="format=claude-code", requests=50, unpriced_requests=0,
                     cost="30.00", policy_cost="24.00", flagship_tax="6.00", plan_cost="10.00", leverage=3.0),
    ]  # fmt: skip
    return d.Billing(
        declared=True,
        months=0.5,
        rows=[row for row, kept in zip(rows, (billed, equivalent), strict=True) if kept],
        billed=parts["billed"] if billed else None,
        api_equivalent=parts["api_equivalent"] if equivalent else None,
    )
