"""Probabilities of many requests at once, from the item-response model by table.

A log holds few (used, candidate, category) combinations and many difficulties. Each combination's curve is computed
once on a grid of difficulties and read by linear interpolation; the step keeps the error below 10^-5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from llm_audit.classify import irt
from llm_audit.policy.models import CATEGORIES, Floats, Index, Ints, Models

_EDGE = 12.0
_STEP = 1 / 64
_GRID: Floats = np.arange(-_EDGE, _EDGE + _STEP, _STEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """P(suffices) and P(success) for arrays of requests; ``shift`` moves the candidate's ability by its own sd."""

    models: Models
    shift: float = 0.0
    _curves: dict[tuple[str, int], Floats] = field(default_factory=dict, init=False, repr=False, compare=False)

    def suffices(self, used: Index, candidate: Index, category: Index, difficulty: Floats) -> Floats:
        """P(the candidate would not lose a success of the model used); NaN where an ability is unknown."""
        keys = (used.astype(np.int64) * len(self.models.ids) + candidate) * len(CATEGORIES) + category
        return self._read(keys, difficulty, self._suffices_curve)

    def success(self, model: Index, category: Index, difficulty: Floats) -> Floats:
        """P(the model succeeds); NaN where its ability is unknown."""
        return self._read(model.astype(np.int64) * len(CATEGORIES) + category, difficulty, self._success_curve)

    def _read(self, keys: Ints, difficulty: Floats, curve: Callable[[int], Floats]) -> Floats:
        if not len(keys):
            return np.empty(0)
        distinct, place = np.unique(keys, return_inverse=True)
        table = np.stack([self._curve(curve, int(key)) for key in distinct])
        position = (np.clip(difficulty, -_EDGE, _EDGE - _STEP) + _EDGE) / _STEP
        left = position.astype(np.int64)
        weight = position - left
        flat = table.ravel()
        start = place * table.shape[1] + left
        return np.asarray(flat[start] * (1 - weight) + flat[start + 1] * weight)

    def _curve(self, curve: Callable[[int], Floats], key: int) -> Floats:
        name = (curve.__name__, key)
        if name not in self._curves:
            self._curves[name] = curve(key)
        return self._curves[name]

    def _suffices_curve(self, key: int) -> Floats:
        pair, category = divmod(key, len(CATEGORIES))
        used, candidate = divmod(pair, len(self.models.ids))
        small, large = self._ability(candidate, category), self.models.ability[used, category]
        return irt.p_suffices(np.full_like(_GRID, small), np.full_like(_GRID, large), _GRID)

    def _success_curve(self, key: int) -> Floats:
        model, category = divmod(key, len(CATEGORIES))
        return irt.p_success(np.full_like(_GRID, self._ability(model, category)), _GRID)

    def _ability(self, model: int, category: int) -> float:
        ability = float(self.models.ability[model, category])
        return ability + self.shift * float(self.models.ability_sd[model, category]) if self.shift else ability
