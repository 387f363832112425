"""Margins of models over what they are asked: abilities less difficulties, both of which are estimates with errors.

Errors are drawn from a hash of the model, the category and the replicate, so that they are the same in any run. A
calibration by verdicts replaces them by draws from its joint posterior.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import polars as pl

from llm_audit.arrays import Floats, Ints
from llm_audit.audit.aggregate.normal import name_words, normals
from llm_audit.classify import irt
from llm_audit.classify.learning.posterior import COMMON, Posterior, ability_name, category_name, template_name
from llm_audit.policy import CATEGORIES, SKILLS, Models, Policy

BIN = 0.25
"""Logits of difficulty that are one."""

_Draw = Callable[[range, Floats], Floats]
"""Returns errors, replicates x parameters, given the replicates and their joint draw."""


class Margins(msgspec.Struct, kw_only=True, frozen=True):
    """Margins of pairs of models; a row for each that differs.

    Attributes:
        values: Rows x replicates.
        of_small: The row of each pair's route.
        of_used: The row of each pair's model used.
    """

    values: Floats
    of_small: Ints
    of_used: Ints

    def lost_and_repeated(self) -> tuple[Floats, Floats]:
        """Return P(the route loses the answer) and P(a second run of the model used does): pairs x replicates."""
        return irt.at_margins(self.values, self.of_small, self.of_used)

    def success(self) -> Floats:
        """Return P(success) of each pair's route: pairs x replicates."""
        return np.asarray(irt.p_success(self.values, 0.0)[self.of_small])


class Estimates(msgspec.Struct, kw_only=True, frozen=True):
    """Estimates of the margins of pairs of models, and their errors; a row for each margin that differs.

    Attributes:
        of_small: The row of each pair's route.
        of_used: The row of each pair's model used.
        ability: Of each row's model in what it is asked.
        difficulty: Of what it is asked.
        errors: Draws what all rows share.
        ability_error: Draws that of the ability.
        difficulty_errors: Draw those of the difficulty, which add up.
    """

    of_small: Ints
    of_used: Ints
    ability: Floats
    difficulty: Floats
    errors: _Errors
    ability_error: _Draw
    difficulty_errors: tuple[_Draw, ...]

    @classmethod
    def of(cls, pairs: pl.DataFrame, *, policy: Policy, models: Models, posterior: Posterior | None) -> Estimates:
        """Return those of pairs, which have ``model_id``, ``route_model_id``, ``skill`` and ``difficulty_bin``.

        With a posterior they have a ``template_hash`` too.
        """
        asked = ["skill", "difficulty_bin", *(["template_hash"] if posterior is not None else [])]
        sides = pl.concat(pairs.select(*asked, model=column) for column in ("route_model_id", "model_id"))
        like = sides.with_row_index("row").select(pl.col("row").first().over("model", *asked)).to_series()
        first, of = np.unique(like.to_numpy(), return_inverse=True)
        rows, errors = sides[first], _Errors(posterior)
        index = models.index()
        position_of = {name: position for position, name in enumerate(models.skills)}
        model = np.array([index[name] for name in rows["model"]])
        skill = np.array([position_of[name] for name in rows["skill"]])
        limiting = models.limiting_category()[model, skill % len(SKILLS)]
        abilities = [
            ability_name(models.ids[at], CATEGORIES[category]) for at, category in zip(model, limiting, strict=True)
        ]
        categories = [category_name(CATEGORIES[at]) for at in skill % len(CATEGORIES)]
        assumed = policy.assumptions
        difficulty_errors = [
            errors.term(categories, np.full(len(skill), assumed.difficulty_sd)),
            errors.term([COMMON], np.array([assumed.difficulty_common_sd])),
        ]
        if posterior is not None:
            difficulty_errors.append(_of_templates(rows["template_hash"].to_list(), errors, posterior))
        return cls(
            of_small=of[: pairs.height],
            of_used=of[pairs.height :],
            ability=models.skill_ability[model, skill],
            difficulty=rows["difficulty_bin"].to_numpy() * BIN,
            errors=errors,
            ability_error=errors.term(abilities, np.nan_to_num(models.skill_ability_sd[model, skill])),
            difficulty_errors=tuple(difficulty_errors),
        )

    def expected(self) -> Margins:
        """Return the margins as they are estimated: one replicate."""
        return self._margins((self.ability - self.difficulty)[:, None])

    def drawn(self, replicates: range) -> Margins:
        """Return the margins with errors drawn for replicates."""
        joint = self.errors.joint(replicates)
        ability = self.ability + self.ability_error(replicates, joint)
        difficulty = self.difficulty + sum(draw(replicates, joint) for draw in self.difficulty_errors)
        return self._margins(np.ascontiguousarray((ability - difficulty).T))

    def _margins(self, values: Floats) -> Margins:
        return Margins(values=values, of_small=self.of_small, of_used=self.of_used)


class _Errors(msgspec.Struct, frozen=True):
    """Errors of named parameters: from the posterior where it has them, else independent of each other."""

    posterior: Posterior | None

    def joint(self, replicates: range) -> Floats:
        """Draw the errors of all that the posterior has: replicates x its parameters, none without one."""
        known = self.posterior
        if known is None:
            return np.zeros((len(replicates), 0))
        return normals(name_words(known.names), replicates) @ known.factor.T

    def term(self, names: Sequence[str], sd: Floats) -> _Draw:
        """Return what draws the errors of parameters: replicates x names.

        Args:
            names: The parameters.
            sd: Their standard deviations where the posterior does not have them.
        """
        words = name_words(names)
        known = () if self.posterior is None else self.posterior.names
        place = {name: at for at, name in enumerate(known)}
        at = np.array([place.get(name, -1) for name in names])

        def draw(replicates: range, joint: Floats) -> Floats:
            errors = sd * normals(words, replicates)
            return np.where(at >= 0, joint[:, at], errors) if place else errors

        return draw


def _of_templates(templates: Sequence[int | None], errors: _Errors, posterior: Posterior) -> _Draw:
    """Return what draws the errors of templates' difficulties, of which some requests have none."""
    return errors.term(
        ["" if template is None else template_name(template) for template in templates],
        np.array([0.0 if template is None else posterior.template_sd for template in templates]),
    )
