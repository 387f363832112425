from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.errors import UsageError
from llm_audit.policy import PRESETS, load, parse
from llm_audit.policy.file.model import Decision, Gate, Order


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
