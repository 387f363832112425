"""Estimate the tokens of images by the developers' published formulas."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from llm_audit.model_names import canonical

UNKNOWN_EDGE_PX = 1024
"""The edge, in pixels, of the square assumed for an image, since logs do not give its size."""


def image_tokens(model: str, width: int = UNKNOWN_EDGE_PX, height: int = UNKNOWN_EDGE_PX) -> int:
    """Return the input tokens of an image.

    Args:
        model: Any name of the model. Models without a published formula are counted as GPT-4o.
        width: Pixels.
        height: Pixels.
    """
    line = canonical(model)
    formula = next((formula for pattern, formula in _FORMULAS if re.match(pattern, line)), _openai_tiles(85, 170))
    return formula(width, height)


def _openai_tiles(base: int, per_tile: int) -> Callable[[int, int], int]:
    """Return the formula for high detail: fit into 2048 x 2048, shortest edge down to 768, then 512-pixel tiles.

    Source: https://platform.openai.com/docs/guides/images-vision#calculating-costs.
    """

    def tokens(width: int, height: int) -> int:
        scale = min(1.0, 2048 / max(width, height))
        scale = min(scale, 768 / min(width, height)) if min(width, height) * scale > 768 else scale
        tiles = math.ceil(round(width * scale, 6) / 512) * math.ceil(round(height * scale, 6) / 512)
        return base + per_tile * tiles

    return tokens


def _claude(width: int, height: int) -> int:
    """Return width times height over 750, the long edge at most 1568 pixels.

    Source: https://platform.claude.com/docs/en/build-with-claude/vision#evaluate-image-size.
    """
    scale = min(1.0, 1568 / max(width, height))
    return math.ceil(width * scale * height * scale / 750)


def _gemini(width: int, height: int) -> int:
    """Return 258 up to 384 pixels in both dimensions, else 258 for each 768-pixel tile.

    Source: https://ai.google.dev/gemini-api/docs/tokens#multimodal-tokens.
    """
    if max(width, height) <= 384:
        return 258
    return 258 * math.ceil(width / 768) * math.ceil(height / 768)


_FORMULAS: tuple[tuple[str, Callable[[int, int], int]], ...] = (
    (r"gpt-4o-mini", _openai_tiles(2833, 5667)),
    (r"claude", _claude),
    (r"gem(ini|ma)", _gemini),
)
