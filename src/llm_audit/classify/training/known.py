"""The table of known sets that explanations compare with."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Final

from llm_audit.vocabulary import Category

EXAMPLES: Final = {
    "GSM8K": ("a GSM8K word problem", Category.MATH),
    "MATH-500": ("a MATH-500 problem", Category.MATH),
    "MATH-L5 (Epoch)": ("a MATH problem of level 5", Category.MATH),
    "OTIS-Mock-AIME (Epoch)": ("a mock AIME problem", Category.MATH),
    "FrontierMath-public (Epoch)": ("a FrontierMath problem", Category.MATH),
    "HumanEval": ("a HumanEval task", Category.CODE),
    "EvalPlus-mbpp+": ("an MBPP+ task", Category.CODE),
    "CRUXEval-O (ZeroEval)": ("a CRUXEval prediction of output", Category.CODE),
    "Aider-polyglot": ("an Aider polyglot exercise", Category.CODE),
    "LiveCodeBench": ("a LiveCodeBench problem", Category.CODE),
    "SWE-bench-Verified": ("a SWE-bench Verified issue", Category.CODE),
    "BFCL-NonLiveAST@v4@2025-08-28": ("a BFCL call of a given function", Category.TOOL_USE),
    "BFCL-Live@v4@2025-08-28": ("a BFCL call that users wrote", Category.TOOL_USE),
    "tau2-bench-retail": ("a tau2-bench retail case", Category.TOOL_USE),
    "BFCL-MultiTurn@v4@2025-08-28": ("a BFCL session of several turns", Category.TOOL_USE),
    "Terminal-Bench": ("a Terminal-Bench task", Category.TOOL_USE),
    "MMLU": ("an MMLU question", Category.KNOWLEDGE),
    "MMLU-Pro": ("an MMLU-Pro question", Category.KNOWLEDGE),
    "SimpleQA": ("a SimpleQA question", Category.KNOWLEDGE),
    "HLE": ("a question of Humanity's Last Exam", Category.KNOWLEDGE),
    "DROP": ("a DROP question about a passage", Category.REASONING),
    "BBH": ("a BIG-Bench Hard item", Category.REASONING),
    "GPQA-Diamond": ("a GPQA Diamond question", Category.SCIENCE),
    "ZebraLogic puzzle (ZeroEval)": ("a ZebraLogic puzzle", Category.REASONING),
    "IFEval": ("an IFEval instruction", Category.INSTRUCTION),
    "Multi-IF": ("a Multi-IF instruction", Category.INSTRUCTION),
    "WildBench-v2 Creative Tasks": ("a WildBench creative task", Category.WRITING),
}
"""One task of a published series in words, with its category."""


def to_csv(levels: Mapping[str, float]) -> bytes:
    """The shipped file, easiest first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["example", "category", "level"])
    for series in sorted(EXAMPLES, key=levels.__getitem__):
        writer.writerow([*EXAMPLES[series], f"{levels[series]:.2f}"])
    return out.getvalue().encode()
