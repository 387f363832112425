"""The joint posterior of abilities and difficulties, as verdicts on a user's own requests leave it.

Its parameters are additions in logits, by name: ``gpt-4o/code`` to a model's ability in a category, ``difficulty`` to
every difficulty, ``difficulty/code`` to those of a category, and ``difficulty/template/<hash>`` to those of the
requests with one system prompt and tools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import msgspec
import numpy as np
import numpy.typing as npt

from llm_audit.vocabulary import Category

Array = npt.NDArray[np.float64]
COMMON: Final = "difficulty"
_DIGITS: Final = 6


def ability_name(model: str, category: str) -> str:
    """Return the name of a model's ability in a category."""
    return f"{model}/{category}"


def category_name(category: str) -> str:
    """Return the name of what a category's difficulties share."""
    return f"{COMMON}/{category}"


def template_name(template: int) -> str:
    """Return the name of what a template's difficulties share."""
    return f"{COMMON}/template/{template:016x}"


class Posterior(msgspec.Struct, kw_only=True, frozen=True):
    """A normal posterior.

    Attributes:
        names: The parameters.
        mean: Their means.
        factor: The lower-triangular factor of their covariance: errors are ``factor @ standard normals``.
        verdicts: The number of verdicts that each parameter takes part in.
        template_sd: Standard deviation of what the difficulties of a template without verdicts share.
    """

    names: tuple[str, ...]
    mean: Array
    factor: Array
    verdicts: tuple[int, ...]
    template_sd: float

    @property
    def sd(self) -> Array:
        """The marginal standard deviation of each parameter."""
        return np.asarray(np.sqrt((self.factor**2).sum(axis=1)))

    def abilities(self, *, fewest: int) -> dict[str, dict[str, tuple[float, float]]]:
        """Return additions to abilities with their standard deviations, by model and category.

        Args:
            fewest: Verdicts below which a parameter is left out.
        """
        found: dict[str, dict[str, tuple[float, float]]] = {}
        for name, mean, sd, count in zip(self.names, self.mean.tolist(), self.sd.tolist(), self.verdicts, strict=True):
            model, _, category = name.rpartition("/")
            if model and not name.startswith(f"{COMMON}/") and count >= fewest:
                found.setdefault(model, {})[category] = (mean, sd)
        return found

    def harder(self, categories: Sequence[str | None], templates: Sequence[int | None]) -> list[float]:
        """Return what is added to the difficulty of each request, by its category and template."""
        added = dict(zip(self.names, self.mean.tolist(), strict=True))
        common = added.get(COMMON, 0.0)
        of_category = {str(category): added.get(category_name(category), 0.0) for category in Category}
        of_template = {
            template: added.get(template_name(template), 0.0) for template in set(templates) if template is not None
        }
        return [
            common + of_category.get(category or "", 0.0) + (of_template[template] if template is not None else 0.0)
            for category, template in zip(categories, templates, strict=True)
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the posterior as JSON values; ``factor`` is written row by row up to the diagonal."""
        return {
            "names": list(self.names),
            "mean": _rounded(self.mean),
            "factor": [_rounded(row[: at + 1]) for at, row in enumerate(self.factor)],
            "verdicts": list(self.verdicts),
            "template_sd": self.template_sd,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what ``as_json`` wrote.

        Raises:
            ValueError: The parts do not fit each other.
        """
        count = len(content["names"])
        factor = np.zeros((count, count))
        for at, row in enumerate(content["factor"]):
            factor[at, : at + 1] = row
        mean = np.array(content["mean"], np.float64)
        if not len(mean) == len(content["factor"]) == len(content["verdicts"]) == count:
            raise ValueError("the parts of the posterior differ in length")
        return cls(
            names=tuple(content["names"]),
            mean=mean,
            factor=factor,
            verdicts=tuple(content["verdicts"]),
            template_sd=float(content["template_sd"]),
        )


def _rounded(values: Array) -> list[float]:
    return [round(value, _DIGITS) for value in values.tolist()]
