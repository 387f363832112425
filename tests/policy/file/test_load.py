from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.errors import UsageError
from llm_audit.policy import PRESETS, load, parse
from llm_audit.policy.file.model import Decision, Gate, Order, StakesLimit
from llm_audit.vocabulary import Stakes


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_loads_under_its_own_name(name):
    policy = load(name)
    assert policy.name == name
    assert policy.description
    assert policy.gates == frozenset(Gate)


def test_presets_decide_as_their_systems_do():
    assert load("small-by-default").decision is Decision.QUALITY_LOSS
    assert not load("small-by-default").unmeasured
    assert load("routellm").strong_share == 0.5
    assert load("bedrock-ipr").quality_difference == 0.1
    assert load("cheapest-capable").order is Order.COST
    assert load("always-small").decision is Decision.ALWAYS
    assert load("keep").decision is Decision.NEVER


@pytest.mark.parametrize(
    ("toml", "line", "says"),
    [
        ('name = "x"\ntarget = 0.8\ntarget_ = 1', 3, "Did you mean 'target'"),
        ('name = "x"\n\ntarget = 1.5', 3, "from 0 to 1"),
        ('target = "high"', 1, "must be a number"),
        ("target = true", 1, "must be a number"),
        ("target = nan", 1, "must be a number"),
        ('target = 0.8\ndecision = "p_sufices"', 2, "Did you mean 'p_suffices'"),
        ('decision = "p_suffices"', 1, "needs target"),
        ('decision = "strong_wins"\nthreshold = 0.5\nstrong_share = 0.5', 1, "both are given"),
        ("target = 0.8\n[ladders]\nmine = []", 3, "cheapest first"),
        ('target = 0.8\n[ladders]\nmine = ["a", "a"]', 3, "twice"),
        ('decision = "quality_difference"\nquality_difference = 0.1\n[ladders]\nmine = ["a"]', 4, "two models"),
        ("target = 0.8\nquality_difference = 0.1", 2, 'is for decision = "quality_difference"'),
        ('decision = "always"\ntarget = 0.8', 2, 'is for decision = "p_suffices"'),
        (
            "target = 0.8\n[assumptions]\nextra_steps = { favourable = 2, expected = 1, pessimistic = 0 }",
            3,
            "the lower",
        ),
        (
            "target = 0.8\n[assumptions]\ncache_kept = { favourable = 0, expected = 1, pessimistic = 1 }",
            3,
            "the higher",
        ),
        ("target = 0.8\n[gates]\nvison = false", 3, "Did you mean 'vision'"),
        ("target = 0.8\n[gates]\nvision = 1", 3, "true or false"),
        ("target = 0.8\n[assumptions.extra_steps]\nexpected = 1", 2, "lacks favourable, pessimistic"),
        ("target = 0.8\n[assumptions]\nextra_steps = -1", 3, "from 0 to 100"),
        ('target = 0.8\n[assumptions.output_ratios]\n"gpt-4o" = 1', 3, "used>route"),
        ("target = 0.8\n[cascade]\ncheck_usd = 0\nrecall = 2\nfalse_alarm = 0", 4, "from 0 to 1"),
        ("target = 0.8\n[stakes.medcal]\nkeep = true", 2, "Did you mean 'medical'"),
        ("target = 0.8\n[stakes]\nmedical = 1.0", 3, "must be a table, headed [stakes.medical]"),
        ("target = 0.8\n[stakes.legal]\nmax_loss = 1", 3, "Did you mean 'max_quality_loss'"),
        ("target = 0.8\n[stakes.legal]\nmin_success = 2", 3, "from 0 to 1"),
        ("target = 0.8\n[stakes.legal]\nkeep = 1", 3, "true or false"),
        ("target = 0.8\n[stakes.legal]", 2, "is empty; give max_quality_loss, min_success or keep = true"),
        ("target = 0.8\n[stakes.legal]\nkeep = true\nmin_success = 0.9", 3, "a limit has no effect"),
        ('decision = "never"\n[stakes.default]\nkeep = true', 2, "nothing moves"),
        (
            'decision = "quality_loss"\nmax_quality_loss = 4\n[stakes.legal]\nmax_quality_loss = 5',
            4,
            "max_quality_loss is 5 for legal stakes, and 4 for every request: give a lower limit",
        ),
        (
            'decision = "quality_loss"\nmax_quality_loss = 4\nmin_success = 0.9\n[stakes.default]\nmin_success = 0.8',
            5,
            "min_success is 0.8 for default stakes, and 0.9 for every request: give a higher limit",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_fix(toml, line, says):
    with pytest.raises(UsageError) as error:
        parse(toml, where="policy.toml")
    assert f"policy.toml:{line}:" in str(error.value)
    assert says in str(error.value)


def test_a_cascade_without_its_numbers_is_no_cascade_silently():
    with pytest.raises(UsageError, match="check_usd is missing"):
        parse("target = 0.8\n[cascade]", where="policy.toml")


def test_kinds_of_stakes_have_their_own_limits_or_the_default_ones():
    toml = "[stakes.default]\nmax_quality_loss = 2\nmin_success = 0.9\n[stakes.legal]\nkeep = true"
    limits = parse(f"target = 0.8\n{toml}\n[stakes.security]\nkeep = false", where="p").stakes
    others = StakesLimit(keep=False, max_quality_loss=2, min_success=0.9)
    assert limits[Stakes.MEDICAL] == limits[Stakes.FINANCIAL] == limits[Stakes.DESTRUCTIVE] == others
    assert limits[Stakes.LEGAL] == StakesLimit(keep=True, max_quality_loss=None, min_success=None)
    assert limits[Stakes.SECURITY] == StakesLimit(keep=False, max_quality_loss=None, min_success=None)
    one = parse("target = 0.8\n[stakes.legal]\nmax_quality_loss = 1", where="p").stakes
    assert list(one) == [Stakes.LEGAL]
    assert parse("target = 0.8", where="p").stakes == {}


@pytest.mark.parametrize("name", ["small-by-default", "cheapest-capable"])
def test_the_presets_ask_more_where_anything_is_at_stake(name):
    policy = load(name)
    assert set(policy.stakes) == set(Stakes)
    for limit in policy.stakes.values():
        assert limit.max_quality_loss < min(policy.max_quality_loss.values())
        assert limit.min_success > policy.min_success


def test_broken_toml_says_where():
    with pytest.raises(UsageError, match=r"not valid TOML.*line 1"):
        parse("target = = 1\n", where="policy.toml")


def test_an_unknown_name_lists_the_presets(tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'keep'"):
        load("kep")
    with pytest.raises(UsageError, match="Presets are"):
        load(tmp_path)


def test_expected_lies_between_the_ends():
    with pytest.raises(UsageError, match="between"):
        parse("target=0.8\n[assumptions]\nescalation={favourable=0, expected=2, pessimistic=1}", where="p")


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.integers(), st.text(max_size=5), st.booleans()), max_size=4))
def test_no_content_breaks_the_reader(data):
    lines = [
        f'"{key.encode("ascii", "ignore").decode().translate(_SAFE)}" = {_toml(value)}' for key, value in data.items()
    ]
    with contextlib.suppress(UsageError):
        assert parse("\n".join(lines), where="p").toml


_SAFE = dict.fromkeys((*range(32), 34, 92, 127))


def _toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f'"{value.encode("ascii", "ignore").decode().translate(_SAFE)}"'


def test_a_file_is_read_from_its_path(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('target = 0.9\n[ladders]\nmine = ["gpt-4o-mini", "gpt-4o"]\n[assumptions]\nextra_steps = 0.5\n')
    policy = load(path)
    assert policy.name == "mine"
    assert policy.ladders == {"mine": ("gpt-4o-mini", "gpt-4o")}
    assert policy.assumptions.extra_steps.pessimistic == 0.5
