"""Token counts, prompt caches and prices of the calls, and how providers write the counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from traffic.clock import HOUR, SECOND

PRICES: dict[str, tuple[float, float, float]] = {  # dollars a million tokens: input, cache read, output
    "gpt-4o-2024-08-06": (2.5, 1.25, 10),
    "gpt-4o-mini-2024-07-18": (0.15, 0.075, 0.6),
    "gpt-4-turbo-2024-04-09": (10, 10, 30),
    "claude-sonnet-4-5-20250929": (3, 0.3, 15),
}
"""Published prices of September 2026, as genai-prices 0.2.3 (MIT) has them; only for costs that a log states."""

FIVE_MINUTES = 300 * SECOND
ONE_HOUR = HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call; disjoint, but for reasoning, which is a part of output."""

    input: int
    output: int
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0

    @property
    def prompt(self) -> int:
        """All tokens of the prompt, cached or not."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    def cost_usd(self, model: str) -> float | None:
        """Return the price of a call without cache writes; None where the model has no published price."""
        if model not in PRICES:
            return None
        fresh, cached, output = PRICES[model]
        return round((self.input * fresh + self.cache_read * cached + self.output * output) / 1e6, 10)

    def openai(self) -> dict[str, Any]:
        """Write the counts as OpenAI does: input includes what was cached."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.output,
            "total_tokens": self.prompt + self.output,
            "prompt_tokens_details": {"cached_tokens": self.cache_read, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": self.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def anthropic(self, *, tier: str = "standard") -> dict[str, Any]:
        """Write the counts as Anthropic does: input excludes what was cached."""
        return {
            "input_tokens": self.input,
            "cache_creation_input_tokens": self.cache_write_5m + self.cache_write_1h,
            "cache_read_input_tokens": self.cache_read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.cache_write_5m,
                "ephemeral_1h_input_tokens": self.cache_write_1h,
            },
            "output_tokens": self.output,
            "service_tier": tier,
            "inference_geo": "not_available",
        }


class PromptCache:
    """Remembers when prefixes were last seen, and for how long each is kept."""

    def __init__(self, lifetime_ms: int = FIVE_MINUTES) -> None:
        self._lifetime_ms = lifetime_ms
        self._seen: dict[object, tuple[int, int]] = {}

    def read(self, key: object, time_ms: int) -> int:
        """Return how many tokens of this prefix are still cached."""
        size, until = self._seen.get(key, (0, 0))
        return size if time_ms < until else 0

    def write(self, key: object, size: int, time_ms: int) -> None:
        """Keep a prefix of ``size`` tokens from now on."""
        self._seen[key] = (size, time_ms + self._lifetime_ms)


def openai_usage(cache: PromptCache, keys: list[object], *, prompt: int, output: int, reasoning: int, at: int) -> Usage:
    """Count a call whose prefixes are cached of themselves: 1,024 tokens or more, in steps of 128."""
    hit = max((cache.read(key, at) for key in keys), default=0) // 128 * 128
    hit = min(hit, (prompt - 1) // 128 * 128) if min(hit, prompt) >= 1024 else 0
    return Usage(input=prompt - hit, cache_read=hit, output=output + reasoning, reasoning=reasoning)
