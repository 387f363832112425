"""What verdicts say about abilities and difficulties."""

import numpy as np
import pytest
from msgspec.structs import replace

from llm_audit.classify.learning.posterior import Posterior, ability_name
from llm_audit.classify.learning.verdicts import Judged, Priors, Verdict, chances, cross_validated, fit
from llm_audit.errors import UsageError

PRIORS = Priors(
    ability={"large/code": 0.4, "small/code": 0.4, "large/math": 0.4, "small/math": 0.4},
    difficulty_common_sd=0.75,
    difficulty_sd=0.25,
)
ONE = Judged(
    verdict=Verdict.TIE,
    used=("large", "code"),
    small=("small", "code"),
    used_ability=1.5,
    small_ability=0.0,
    category="code",
    template=7,
    difficulty=0.0,
)


def verdicts(*, win: int, tie: int, loss: int, **changed: object) -> list[Judged]:
    counts = {Verdict.WIN: win, Verdict.TIE: tie, Verdict.LOSS: loss}
    return [replace(ONE, verdict=verdict, **changed) for verdict, count in counts.items() for _ in range(count)]


def sd_of_difference(found: Posterior) -> float:
    small, large = (found.names.index(name) for name in ("small/code", "large/code"))
    return float(np.linalg.norm(found.factor[small] - found.factor[large]))


def test_losses_and_wins_alone_say_how_far_abilities_are_apart():
    """Equally many wins and losses: the models are equally able, whatever the share of ties."""
    found = fit(verdicts(win=150, tie=700, loss=150), PRIORS)
    mean = dict(zip(found.names, found.mean, strict=True))
    assert mean["small/code"] - mean["large/code"] == pytest.approx(1.5, abs=0.2)
    assert mean["small/code"] == pytest.approx(-mean["large/code"], abs=0.15)
    assert found.mean[found.names.index(ability_name("small", "code"))] > 0


def test_many_verdicts_give_the_shares_that_were_seen():
    p = chances([ONE], fit(verdicts(win=50, tie=800, loss=150), PRIORS))[0]
    assert p == pytest.approx([0.05, 0.80, 0.15], abs=0.02)


def test_few_verdicts_move_little_and_more_narrow_the_difference():
    few, many = fit(verdicts(win=1, tie=15, loss=4), PRIORS), fit(verdicts(win=50, tie=750, loss=200), PRIORS)
    assert np.abs(few.mean).max() < 0.5
    assert sd_of_difference(many) < 0.6 * sd_of_difference(few) < 0.4 * 2**0.5
    # The difference is known better than either ability: replicates need the correlation.
    assert sd_of_difference(many) < 0.7 * many.sd[many.names.index("small/code")] * 2**0.5


def test_a_template_overrules_the_belief_for_its_own_requests():
    easy, hard = verdicts(win=2, tie=196, loss=2), verdicts(win=2, tie=98, loss=100, template=8)
    found = fit(easy + hard, PRIORS)
    p = chances([ONE, replace(ONE, template=8), replace(ONE, template=9)], found)[:, 2]
    assert p[0] < 0.08
    assert p[1] > 0.35
    assert p[0] < p[2] < p[1]


def test_requests_get_what_their_category_and_template_share():
    found = fit(verdicts(win=2, tie=96, loss=2) + verdicts(win=2, tie=50, loss=48, template=8), PRIORS)
    common, code, seven = (
        found.mean[found.names.index(name)]
        for name in ("difficulty", "difficulty/code", "difficulty/template/0000000000000007")
    )
    added = found.harder(["code", "math", None, "code"], [7, 7, 7, 99])
    assert added == pytest.approx([common + code + seven, common + seven, common + seven, common + code])


def test_a_category_with_few_verdicts_is_not_measured():
    some = verdicts(win=1, tie=40, loss=5) + verdicts(
        win=0, tie=5, loss=1, used=("large", "math"), small=("small", "math"), category="math"
    )
    assert set(fit(some, PRIORS).abilities(fewest=20)["small"]) == {"code"}


def test_a_posterior_survives_json():
    found = fit(verdicts(win=5, tie=80, loss=15), PRIORS)
    read = Posterior.from_json(found.as_json())
    assert read.names == found.names
    assert read.factor == pytest.approx(found.factor, abs=1e-6)
    assert read.as_json() == found.as_json()
    with pytest.raises(ValueError, match="length"):
        Posterior.from_json({**found.as_json(), "mean": [0.0]})


def test_verdicts_predict_other_verdicts_better_than_the_belief():
    some = verdicts(win=5, tie=180, loss=15)
    mixed = [some[at] for at in np.random.default_rng(1).permutation(len(some))]
    before, after = cross_validated(mixed, PRIORS)
    assert after < before


def test_too_few_verdicts_are_refused():
    with pytest.raises(UsageError, match="19 verdicts can be used"):
        cross_validated(verdicts(win=0, tie=18, loss=1), PRIORS)
