"""A check to render: rules of each outcome, and the comparison behind them."""

from __future__ import annotations

from llm_audit.document import comparison as c


def check() -> c.CheckResult:
    """A gate that failed, one that passed, one that could not be evaluated, and the comparison behind them."""
    base = c.Side(
        label="main.json",
        start="2026-08-01T00:00:00+00:00",
        end="2026-08-31T23:00:00+00:00",
        requests=5650,
        priced_requests=5600,
        cost="110.00",
        flagship_tax="38.50",
        flagship_tax_share=0.35,
    )
    head = c.Side(
        label="logs/",
        start="2026-09-01T06:12:09+00:00",
        end="2026-09-30T22:47:51+00:00",
        requests=5749,
        priced_requests=5708,
        cost="127.80",
        flagship_tax="51.03",
        flagship_tax_share=0.399296,
    )
    parts = [
        c.Part(name=n, amount=a)
        for n, a in (
            ("volume", "2.12"),
            ("model_mix", "12.40"),
            ("tokens_per_request", "4.18"),
            ("cache", "-0.90"),
            ("price", "0.00"),
        )
    ]
    comparison = c.Comparison(
        base=base,
        head=head,
        change="17.80",
        parts=parts,
        tax_parts=[
            c.Part(name="volume", amount="0.74"),
            c.Part(name="model_mix", amount="10.20"),
            c.Part(name="per_request", amount="1.59"),
        ],
        groups=[
            c.GroupChange(
                group="model",
                name="claude-opus-4-5",
                base_cost="48.00",
                head_cost="62.87",
                change="14.87",
                base_flagship_tax="17.00",
                head_flagship_tax="23.80",
            ),
            c.GroupChange(
                group="app",
                name="code-agent",
                base_cost="44.00",
                head_cost="57.03",
                change="13.03",
                base_flagship_tax="12.00",
                head_flagship_tax="16.89",
            ),
        ],
        metrics=[
            c.MetricChange(
                metric="cost_per_request",
                unit="USD",
                base=0.01964,
                head=0.02239,
                change=0.00275,
                low=0.00198,
                high=0.00352,
            ),
            c.MetricChange(
                metric="flagship_tax", unit="share", base=0.35, head=0.3993, change=0.0493, low=0.03, high=0.07
            ),
            *(
                c.MetricChange(
                    metric=m, unit="share", base=b, head=h, change=h - b, low=h - b - 0.01, high=h - b + 0.01
                )
                for m, b, h in (
                    ("model_share[frontier]", 0.41, 0.47),
                    ("cost_share[frontier]", 0.78, 0.86),
                    ("model_share[claude-opus-4-5]", 0.15, 0.22),
                    ("model_share[unknown]", 0.0, 0.0),
                )
            ),
        ],
        realised="-6.90",
        estimated="39.24",
        notes=["main.json was priced again with the price table of logs/."],
    )
    rules = [
        c.Rule(
            rule="cost_per_request:+10%",
            outcome=c.Outcome.FAILED,
            base=0.01964,
            head=0.02239,
            threshold=0.1,
            message="cost_per_request rose by 14.0%, at least 10.1%, mostly claude-opus-4-5 in code-agent.",
            unit="USD",
            source="llm-audit.toml",
            line=7,
        ),
        c.Rule(
            rule="unpriced_share:1%",
            outcome=c.Outcome.PASSED,
            base=None,
            head=0.007,
            threshold=0.01,
            message="unpriced_share 0.7% is within 1.0%.",
            unit="share",
            source=None,
            line=None,
        ),
        c.Rule(
            rule="cost_per_request[team=legal]:+5%",
            outcome=c.Outcome.NOT_EVALUATED,
            base=None,
            head=None,
            threshold=0.05,
            message="cost_per_request[team=legal] could not be compared: the baseline does not have it.",
            unit="USD",
            source="llm-audit.toml",
            line=9,
        ),
        c.Rule(
            rule="tokens_per_request:+10%",
            outcome=c.Outcome.INCONCLUSIVE,
            base=1000.0,
            head=1080.0,
            threshold=0.1,
            message="tokens_per_request rose from 1,000 to 1,080 (+8.0%; 90% interval -12.5% to +28.5%; threshold"
            " +10.0%). Too few requests to tell: the smallest change that they can show is about +31% at 800 requests;"
            " about 7,700 would show +10%.",
            unit="count",
            source=None,
            line=None,
        ),
    ]
    return c.CheckResult(rules=rules, comparison=comparison, failed=1, passed=1, not_evaluated=1, inconclusive=1)
