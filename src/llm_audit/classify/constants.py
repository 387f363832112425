"""Numbers fitted together with the weights by ``scripts/train.py``; their derivation is in ``docs/classifier.md``."""

from typing import Final

RESIDUAL_SD: Final = 1.5
"""Standard deviation, in logits, of the difficulty that a prompt's text does not tell."""
