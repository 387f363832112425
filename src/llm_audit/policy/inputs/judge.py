"""Probabilities of many requests at once, from the item-response model by table.

A log holds few (used, candidate, category) combinations and many difficulties. Each combination's curve is computed
once on a grid of difficulties and read by linear interpolation; the step keeps the error below 10^-5.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import msgspec
import numpy as np

from llm_audit.arrays import Difficulties, Floats, Index, Ints
from llm_audit.classify import irt
from llm_audit.policy.inputs.models import Models

try:
    from llm_audit.policy.inputs._arithmetic import curves as _curves_compiled
except ImportError:  # built where a C compiler is at hand; NumPy gives the same to the bit
    COMPILED = False
else:
    COMPILED = True

_EDGE = 12.0
_STEP = 1 / 64
_GRID: Floats = np.arange(-_EDGE, _EDGE + _STEP, _STEP)


class _Curves(msgspec.Struct):
    """Curves by key: ``row_of`` says where in ``table`` a key's is, 0 where it was never asked for.

    Few of the keys are ever asked for, and pages of zeros that nobody writes take no memory.
    """

    row_of: Ints
    table: Floats
    count: int = 1
    lock: Lock = msgspec.field(default_factory=Lock)

    @classmethod
    def empty(cls, keys: int, points: int) -> _Curves:
        """Make room for so many curves of so many points."""
        return cls(row_of=np.zeros(keys, dtype=np.int64), table=np.empty((1, points)))

    def rows(self, keys: Ints, make: Callable[[Ints], Floats]) -> Ints:
        """Return the row of each key's curve; ``make`` computes those of new keys."""
        found = self.row_of[keys]
        if len(found) and found.min() < 1:
            with self.lock:
                self._add(np.unique(keys[self.row_of[keys] < 1]), make)
            found = self.row_of[keys]
        return found

    def _add(self, new: Ints, make: Callable[[Ints], Floats]) -> None:
        if not len(new):
            return
        if self.count + len(new) > len(self.table):
            grown = np.empty((2 * self.count + len(new), self.table.shape[1]))
            grown[: self.count] = self.table[: self.count]
            self.table = grown
        self.table[self.count : self.count + len(new)] = make(new)
        # The table is complete before anything points into it, so readers need no lock.
        self.row_of[new] = np.arange(self.count, self.count + len(new))
        self.count += len(new)


class Judge(msgspec.Struct, kw_only=True, frozen=True):
    """P(suffices) and P(success) for arrays of requests; made by ``Judge.of``.

    Attributes:
        models: The catalog.
        known: The models that are asked about, as indexes into the catalog.
        reach: The least and the greatest difficulty that is asked about.
        shift: Moves the candidate's ability by this many of its own standard deviations.
    """

    models: Models
    known: Ints
    reach: tuple[float, float]
    shift: float
    _low: int
    _grid: Floats
    _slot: Ints
    _skills: int
    _ability: Floats
    _ability_sd: Floats
    _pairs: _Curves
    _success: _Curves
    _shifted_by: dict[float, Judge]

    @classmethod
    def of(
        cls, models: Models, *, known: Ints, reach: tuple[float, float] = (-_EDGE, _EDGE), shift: float = 0.0
    ) -> Judge:
        """Number the known models, and make room for their curves."""
        slot = np.full(len(models.ids), -1, dtype=np.int64)
        slot[known] = np.arange(len(known))
        low, high = (int((min(max(end, -_EDGE), _EDGE - _STEP) + _EDGE) / _STEP) for end in reach)
        grid, skills = _GRID[low : high + 2], len(models.skills)
        return cls(
            models=models,
            known=known,
            reach=reach,
            shift=shift,
            _low=low,
            _grid=grid,
            _slot=slot,
            _skills=skills,
            _ability=models.skill_ability,
            _ability_sd=models.skill_ability_sd,
            _pairs=_Curves.empty(len(known) ** 2 * skills, 2 * len(grid)),
            _success=_Curves.empty(len(known) * skills, len(grid)),
            _shifted_by={},
        )

    def shifted(self, shift: float) -> Judge:
        """Return the judge of other abilities, made once; itself where nothing changes."""
        if shift == self.shift:
            return self
        if shift not in self._shifted_by:
            self._shifted_by[shift] = Judge.of(self.models, known=self.known, reach=self.reach, shift=shift)
        return self._shifted_by[shift]

    def suffices(self, used: Index, candidate: Index, skill: Index, difficulty: Difficulties) -> Floats:
        """P(the candidate would not lose a success of the model used); NaN where an ability is unknown."""
        return self.compared(used, candidate, skill, difficulty)[0]

    def loss(self, used: Index, candidate: Index, skill: Index, difficulty: Difficulties) -> Floats:
        """Return the probability of a lost answer beyond a second run of the model used.

        P(used succeeds and candidate fails) - P(used succeeds and fails when run again) = E[P_used (P_used - P)]: zero
        for the model itself, negative for a better one; NaN where an ability is unknown.
        """
        return self.compared(used, candidate, skill, difficulty)[1]

    def compared(
        self, used: Index, candidate: Index, skill: Index, difficulty: Difficulties, *, group: Ints | None = None
    ) -> tuple[Floats, Floats]:
        """Return ``suffices`` and ``loss``, which have the same curves to compute and places to read.

        Args:
            used: The model used by each request, or group of them.
            candidate: The candidate.
            skill: What is asked of it.
            difficulty: The difficulty of each request.
            group: The group of each request, where the others are of groups; one without requests is not looked at.
        """
        pairs = self._slot[used] * len(self.known) + self._slot[candidate]
        keys = pairs * self._skills + skill
        if group is None:
            rows = self._pairs.rows(keys, self._pair_curves)
        else:
            there = np.flatnonzero(np.bincount(group, minlength=len(keys)))
            of_groups = np.zeros(len(keys), dtype=np.int64)
            of_groups[there] = self._pairs.rows(keys[there], self._pair_curves)
            rows = of_groups[group]
        suffices, loss = self._read(self._pairs, rows, difficulty)
        return suffices, loss

    def success(self, model: Index, skill: Index, difficulty: Difficulties) -> Floats:
        """P(the model succeeds); NaN where its ability is unknown."""
        keys = self._slot[model] * self._skills + skill
        rows = self._success.rows(keys, self._success_curves)
        (success,) = self._read(self._success, rows, difficulty)
        return success

    def _read(self, curves: _Curves, rows: Ints, difficulty: Difficulties) -> list[Floats]:
        """Return the values of each curve of a row of the table, which are one after the other."""
        if COMPILED:
            points, width = len(self._grid), curves.table.shape[1]
            found = np.empty((width // points, len(rows)))
            _curves_compiled(rows, difficulty, curves.table, np.array([_EDGE, _STEP, self._low, points]), found)
            return list(found)
        position = (np.clip(difficulty.astype(np.float64), -_EDGE, _EDGE - _STEP) + _EDGE) / _STEP
        left = position.astype(np.int64)
        weight = position - left
        points, width = len(self._grid), curves.table.shape[1]
        flat, start = curves.table.ravel(), rows * width + (left - self._low)
        starts = (start + offset for offset in range(0, width, points))
        return [np.asarray(flat[at] * (1 - weight) + flat[at + 1] * weight) for at in starts]

    def _pair_curves(self, keys: Ints) -> Floats:
        """Return the curves of P(suffices) and of the loss."""
        lost, repeated = irt.curves_of_pairs(*self._pair(keys), self._grid)
        return np.concatenate([1.0 - lost, lost - repeated], axis=1)

    def _success_curves(self, keys: Ints) -> Floats:
        model, skill = np.divmod(keys, self._skills)
        return irt.p_success(self._shifted(self.known[model], skill)[:, None], self._grid)

    def _pair(self, keys: Ints) -> tuple[Floats, Floats]:
        """Return the abilities of the candidate, shifted, and of the model used."""
        pair, skill = np.divmod(keys, self._skills)
        used, candidate = np.divmod(pair, len(self.known))
        small = self._shifted(self.known[candidate], skill)
        return small, self._ability[self.known[used], skill]

    def _shifted(self, model: Ints, skill: Ints) -> Floats:
        ability = self._ability[model, skill]
        return ability + self.shift * self._ability_sd[model, skill] if self.shift else ability
