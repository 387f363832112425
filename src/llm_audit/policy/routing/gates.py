"""Gates: capabilities and limits that rule a model out before its quality is considered."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from llm_audit.arrays import Bools, Codes, Floats, Index
from llm_audit.policy.file.model import Gate
from llm_audit.policy.inputs.models import Models
from llm_audit.policy.inputs.requests import Requests

REASONS: tuple[str | None, ...] = (None, *(f"{unknown}{gate.value}" for gate in Gate for unknown in ("", "unknown_")))
"""Meaning of each gate code: nothing, or the first gate that blocks; ``unknown_``: the catalog does not say."""

_CAPABILITIES = {
    Gate.VISION: "vision",
    Gate.AUDIO: "audio",
    Gate.TOOLS: "tools",
    Gate.JSON_SCHEMA: "json_schema",
    Gate.REASONING: "reasoning",
}


def blocked(
    requests: Requests, candidate: Index, *, models: Models, gates: Collection[Gate], tokenizer_ratio: Floats
) -> Codes:
    """Return the first gate that keeps each request from its candidate model, as an index into ``REASONS``.

    Args:
        requests: The requests.
        candidate: A model for each, as an index into ``models``.
        models: The catalog.
        gates: Gates to check.
        tokenizer_ratio: The candidate's tokens by the used model's, for the same text.
    """
    codes = np.zeros(len(requests), dtype=np.uint8)
    for gate in reversed(list(Gate)):
        if gate not in gates:
            continue
        fails, unknown = _check(gate, requests, candidate, models, tokenizer_ratio)
        code = REASONS.index(gate.value)
        codes[unknown] = code + 1
        codes[fails] = code
    return codes


def _check(
    gate: Gate, requests: Requests, candidate: Index, models: Models, tokenizer_ratio: Floats
) -> tuple[Bools, Bools]:
    """Return where the gate blocks, and where the catalog does not say."""
    output = requests.tokens["output"] * tokenizer_ratio
    if gate is Gate.CONTEXT_WINDOW:
        limit = models.context_window[candidate]
        return requests.input_tokens * tokenizer_ratio + output > limit, np.isnan(limit)
    if gate is Gate.MAX_OUTPUT:
        limit = models.max_output[candidate]
        return np.maximum(output, requests.max_output) > limit, np.isnan(limit)
    name = _CAPABILITIES[gate]
    able, needed = models.capability[name][candidate], requests.needs[name]
    return needed & (able == 0), needed & (able < 0)
