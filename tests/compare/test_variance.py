from hypothesis import given
from hypothesis import strategies as st

from llm_audit.compare.variance import PARTS, TAX_PARTS, Unit, cost_parts, tax_parts, units
from llm_audit.document.audit import BasisRow
from llm_audit.money import usd

USD = 10**12


def unit(requests: int, policy: int = 0, **types: tuple[int, int]) -> Unit:
    return Unit(
        requests=requests,
        tokens={kind: count for kind, (count, _) in types.items()},
        cost_pico={kind: cost for kind, (_, cost) in types.items()},
        policy_pico=policy,
    )


def test_each_part_holds_what_only_it_changed() -> None:
    # One model, $1 per input token and $2 per output token; 10 requests of 10 in, 5 out: $200.
    base = {("p", "m", "standard"): unit(10, input=(100, 100 * USD), output=(50, 100 * USD))}
    twice = {("p", "m", "standard"): unit(20, input=(200, 200 * USD), output=(100, 200 * USD))}
    assert cost_parts(base, twice) == {"volume": 200 * USD} | dict.fromkeys(PARTS[1:], 0)

    longer = {("p", "m", "standard"): unit(10, input=(100, 100 * USD), output=(80, 160 * USD))}
    assert cost_parts(base, longer)["tokens_per_request"] == 60 * USD

    # 60 of the 100 input tokens now come from a cache at $0.10: 0.90 saved on each.
    cached = {("p", "m", "standard"): unit(10, input=(40, 40 * USD), cache_read=(60, 6 * USD), output=(50, 100 * USD))}
    warm = {("p", "m", "standard"): unit(10, input=(99, 99 * USD), cache_read=(1, USD // 10), output=(50, 100 * USD))}
    assert cost_parts(warm, cached)["cache"] == -59 * USD * 9 // 10
    assert cost_parts(warm, cached)["price"] == 0

    costlier = {("p", "m", "standard"): unit(10, input=(100, 150 * USD), output=(50, 100 * USD))}
    assert cost_parts(base, costlier) == dict.fromkeys(PARTS[:-1], 0) | {"price": 50 * USD}


def test_a_new_model_is_all_mix() -> None:
    base = {("p", "small", "standard"): unit(10, input=(100, 10 * USD))}
    head = {
        ("p", "small", "standard"): unit(5, input=(50, 5 * USD)),
        ("p", "large", "standard"): unit(5, input=(70, 70 * USD)),
    }
    assert cost_parts(base, head) == {
        "volume": 0,
        "model_mix": 65 * USD,
        "tokens_per_request": 0,
        "cache": 0,
        "price": 0,
    }


def test_rows_of_one_model_are_summed() -> None:
    rows = [
        BasisRow(
            provider="p",
            model="m",
            tier="small",
            service_tier="standard",
            context_from=0,
            since=None,
            first_day=None,
            team=team,
            app=None,
            requests=2,
            tokens={"input": 3},
            cost_by_type={"input": "0.10", "per_call": "0.01"},
            policy_cost="0.05",
        )
        for team in ("a", "b")
    ]
    (summed,) = units(rows).values()
    assert summed == Unit(4, {"input": 6}, {"input": USD // 5, "per_call": USD // 50}, USD // 10)
    assert usd(summed.total_pico) == "0.22"


KINDS = ("input", "cache_read", "output")
sides = st.dictionaries(
    st.tuples(st.just("p"), st.sampled_from("abcd"), st.just("standard")),
    st.builds(
        Unit,
        requests=st.integers(1, 1000),
        tokens=st.fixed_dictionaries({kind: st.integers(0, 10**9) for kind in KINDS}),
        cost_pico=st.fixed_dictionaries({kind: st.integers(0, 10**15) for kind in KINDS}),
        policy_pico=st.integers(0, 10**15),
    ),
    max_size=4,
)


@given(sides, sides)
def test_the_parts_add_up_exactly(
    base: dict[tuple[str, str, str], Unit], head: dict[tuple[str, str, str], Unit]
) -> None:
    change = sum(u.total_pico for u in head.values()) - sum(u.total_pico for u in base.values())
    parts = cost_parts(base, head)
    assert tuple(parts) == PARTS
    assert sum(parts.values()) == change
    taxes = tax_parts(base, head)
    assert tuple(taxes) == TAX_PARTS
    assert sum(taxes.values()) == change - sum(u.policy_pico for u in head.values()) + sum(
        u.policy_pico for u in base.values()
    )
