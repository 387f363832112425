"""What was learnt from a user's outcomes or verdicts: its file, and a classifier that includes it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Final, Self

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash
from msgspec.structs import replace

from llm_audit.classify.hashing import BUCKETS, HASH_VERSION
from llm_audit.classify.learning.calibration_file import FORMAT, read_calibration
from llm_audit.classify.learning.posterior import Posterior
from llm_audit.classify.model import Classifier
from llm_audit.errors import UsageError
from llm_audit.files import write_atomically
from llm_audit.vocabulary import Category

FEWEST: Final = 20
"""The fewest outcomes or verdicts that a model or a calibration is learnt from."""


class Calibration(msgspec.Struct, frozen=True):
    """The result of learning from a user's outcomes or verdicts.

    ``buckets`` and ``weights`` are the non-zero rows of the added difficulty. ``shift`` is added to an ability in
    every category, ``shift_sd`` its standard deviation. ``most`` is the difficulty that the added one may reach: where
    the two models' outcomes differ most. ``before`` and ``after`` are mean log losses, ``after`` by five-fold
    cross-validation: of P(suffices) where two models answered a prompt, of P(success) otherwise. Verdicts have a
    ``posterior`` instead of words and shifts, and losses of P(win), P(tie) and P(loss).
    """

    classifier: str
    outcomes: int
    buckets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    shift: dict[str, float]
    shift_sd: dict[str, float]
    most: float
    before: float
    after: float
    posterior: Posterior | None = None

    @classmethod
    def of_verdicts(cls, posterior: Posterior, *, classifier: str, verdicts: int, before: float, after: float) -> Self:
        """Make the calibration that verdicts give; ``classifier`` is the fingerprint of the weights they build on."""
        return cls(
            classifier=classifier,
            outcomes=verdicts,
            buckets=np.zeros(0, np.int64),
            weights=np.zeros(0),
            shift={},
            shift_sd={},
            most=math.inf,
            before=before,
            after=after,
            posterior=posterior,
        )

    def abilities(self) -> dict[str, dict[str, tuple[float, float]]]:
        """Return additions to abilities with their standard deviations, by model and category."""
        learnt = {} if self.posterior is None else self.posterior.abilities(fewest=FEWEST)
        everywhere = {
            model: dict.fromkeys(map(str, Category), (shift, self.shift_sd[model]))
            for model, shift in self.shift.items()
        }
        return everywhere | learnt

    def apply(self, classifier: Classifier) -> Classifier:
        """A classifier whose difficulty includes what was learnt.

        Raises:
            UsageError: The calibration was made with other weights.
        """
        if self.classifier != classifier.fingerprint:
            raise UsageError("The calibration was made with another version of the classifier. Run calibrate again.")
        extra = np.zeros(BUCKETS)
        extra[self.buckets] = self.weights
        digest = xxhash.xxh3_128(self.classifier.encode())
        if self.posterior is not None:
            digest.update(json.dumps(self.posterior.as_json(), sort_keys=True).encode())
        if not len(self.buckets):
            return replace(classifier, fingerprint=digest.hexdigest())
        digest.update(extra.tobytes() + repr(self.most).encode())
        return classifier.with_delta(extra, most=self.most, fingerprint=digest.hexdigest())

    def save(self, path: Path) -> None:
        """Write the calibration as JSON. It holds hashes of words, no text."""
        content = {
            "format": FORMAT,
            "hash_version": HASH_VERSION,
            "classifier": self.classifier,
            "outcomes": self.outcomes,
            "buckets": self.buckets.tolist(),
            "weights": [round(value, 6) for value in self.weights.tolist()],
            "shift": self.shift,
            "shift_sd": self.shift_sd,
            "most": self.most if math.isfinite(self.most) else None,
            "before": self.before,
            "after": self.after,
            "posterior": None if self.posterior is None else self.posterior.as_json(),
        }
        write_atomically(path, (json.dumps(content, sort_keys=True) + "\n").encode())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a calibration.

        Raises:
            UsageError: There is no such file, or it is no calibration of this version.
        """
        saved = read_calibration(path)
        verdicts = saved.posterior
        return cls(
            classifier=saved.classifier,
            outcomes=saved.outcomes,
            buckets=np.array(saved.buckets, np.int64),
            weights=np.array(saved.weights, np.float64),
            shift=saved.shift,
            shift_sd=saved.shift_sd,
            most=math.inf if saved.most is None else saved.most,
            before=saved.before,
            after=saved.after,
            posterior=None if verdicts is None else Posterior.from_json(msgspec.structs.asdict(verdicts)),
        )
