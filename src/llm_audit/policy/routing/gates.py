"""Gates: capabilities and limits that rule a model out before its quality is considered."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from llm_audit.arrays import Bools, Codes, Floats, Index, Ints
from llm_audit.policy.file.model import Gate
from llm_audit.policy.inputs.models import Models
from llm_audit.policy.inputs.requests import Requests, at, is_nothing

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
    requests: Requests,
    rows: Ints,
    candidate: Index,
    *,
    models: Models,
    gates: Collection[Gate],
    tokenizer_ratio: Floats,
) -> Codes:
    """Return the first gate that keeps each request from its candidate model, as an index into ``REASONS``.

    Args:
        requests: The requests.
        rows: Those that are asked about.
        candidate: A model for each of these, as an index into ``models``.
        models: The catalog.
        gates: Gates to check.
        tokenizer_ratio: The candidate's tokens by the used model's, for the same text.
    """
    codes = np.zeros(len(rows), dtype=np.uint8)
    output = requests.tokens["output"][rows] * tokenizer_ratio

    def note(gate: Gate, fails: Bools, unknown: Bools) -> None:
        code = REASONS.index(gate.value)
        codes[unknown] = code + 1
        codes[fails] = code

    for gate in reversed(list(Gate)):
        if gate not in gates:
            continue
        if gate in _CAPABILITIES:
            name = _CAPABILITIES[gate]
            needed = at(requests.needs[name], rows)
            if needed.any():
                able = models.capability[name][candidate]
                note(gate, needed & (able == 0), needed & (able < 0))
            continue
        if gate is Gate.CONTEXT_WINDOW:
            limit, asked = models.context_window[candidate], _input_tokens(requests, rows) * tokenizer_ratio + output
        else:
            limit, asked = models.max_output[candidate], np.maximum(output, requests.max_output[rows])
        note(gate, asked > limit, np.isnan(limit))
    return codes


def _input_tokens(requests: Requests, rows: Ints) -> Ints:
    total: Ints = np.zeros(len(rows), dtype=np.int64)
    for kind, counts in requests.tokens.items():
        if "output" not in kind and not is_nothing(counts):
            total += counts[rows]
    return total
