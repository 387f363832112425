"""Build src/llm_audit/catalog/preferences.csv: how much readers prefer each model, by subject and language.

    python scripts/build_preferences.py ARENA_RATINGS.parquet

The argument has the text arena's published ratings (lmarena/arena-catalog at c9558b6, 17 December 2025): ``board``,
``arena_category``, ``arena_model``, ``rating`` on an Elo scale, and ``rating_low`` and ``rating_high``, its 95% bounds.
That table does not ship. What ships is derived from it: for models of the catalogue, the difference from ``REFERENCE``
on the same board, with style control, and the standard deviation that a model's bounds imply.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

import polars as pl

from llm_audit.catalog import Catalog
from llm_audit.catalog.preferences import BOARDS
from llm_audit.model_names import canonical

ROOT = Path(__file__).parent.parent
OUT = ROOT / "src/llm_audit/catalog/preferences.csv"
REFERENCE = "gpt-4o-mini"
PUBLISHED = {
    "overall": "full",
    "code": "coding",
    "math": "math",
    "writing": "creative_writing",
    "instruction": "if",
    "long_context": "long_user",
    "science": "industry_life_and_physical_and_social_science",
    "law": "industry_legal_and_government",
    "medicine": "industry_medicine_and_healthcare",
    "finance": "industry_business_and_management_and_financial_operations",
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "ru": "russian",
    "zh": "chinese",
    "ja": "japanese",
    "ko": "korean",
}
"""The arena's name of each of our boards."""
RATED_AS = {
    "command-a": "command-a-03-2025",
    "command-r-plus": "command-r-plus-08-2024",
    "command-r": "command-r-08-2024",
    "deepseek": None,  # a name of no one model
    "deepseek-chat": "deepseek-v3",
    "deepseek-coder": None,  # the second version was rated
    "deepseek-reasoner": "deepseek-r1",
    "gemini-2.5-flash-lite": "gemini-2.5-flash-lite-preview-09-2025-no-thinking",
    "gpt-3.5-turbo": "gpt-3.5-turbo-0125",
    "grok-2-1212": None,  # another snapshot was rated
    "grok-3": "grok-3-preview-02-24",
    "grok-4-fast-non-reasoning": "grok-4-fast-chat",
    "ministral-8b": "ministral-8b-2410",
    "mistral-large-2512": "mistral-large-3",
    "mistral-medium-2312": "mistral-medium",
    "mistral-medium-3": "mistral-medium-2505",
    "mistral-medium-3-1": "mistral-medium-2508",
    "mistral-medium-3-5": None,  # the plain name in the arena is the model of December 2023
    "mistral-medium-3.1": "mistral-medium-2508",
    "mistral-small-3.1-24b-instruct": "mistral-small-3.1-24b-instruct-2503",
    "mistral-small-3.2-24b-instruct": "mistral-small-2506",
    "nova-lite": "amazon-nova-lite-v1.0",
    "nova-micro": "amazon-nova-micro-v1.0",
    "nova-pro": "amazon-nova-pro-v1.0",
    "qwen3-235b-a22b-2507": "qwen3-235b-a22b-instruct-2507",
    "qwen3-max": "qwen3-max-2025-09-23",
}
"""Models whose rated name the rule does not find, or finds wrongly."""
_THINKING = re.compile(r"-(?:minimal|low|medium|high|xhigh|thinking(?:-\d+k)?)$")
_NO_THINKING = re.compile(r"-no-thinking$")
_NINETY_FIVE_PERCENT = 1.959964
_DIGITS = 1


def main(ratings: str) -> None:
    """Choose each model's rated name, and write its differences from the reference by board."""
    table = pl.read_parquet(ratings).filter(board="style_control")
    rated = {
        (row["arena_category"], row["arena_model"]): (row["rating"], row["rating_high"] - row["rating_low"])
        for row in table.iter_rows(named=True)
    }
    names = _rated_names(sorted(table["arena_model"].unique()))
    rows = []
    for model, name in sorted(names.items()):
        for board in BOARDS:
            subject = PUBLISHED[board]
            if (subject, name) in rated:
                rating, width = rated[subject, name]
                points = rating - rated[subject, names[REFERENCE]][0]
                deviation = width / (2 * _NINETY_FIVE_PERCENT)
                rows.append((model, board, f"{points:.{_DIGITS}f}", f"{deviation:.{_DIGITS}f}", name))
    with OUT.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("model_id", "board", "points", "sd", "rated_as"))
        writer.writerows(rows)
    print(f"{OUT}: {len(rows)} rows of {len(names)} models")


def _rated_names(arena: list[str]) -> dict[str, str]:
    """Return the arena's name of each model of the catalogue.

    Of several names of one line, one of its default settings comes first (most models think only when asked to), then
    the line's own name, then the latest snapshot.
    """
    lines = set(Catalog.load().frame.filter(pl.col("kind") != "alias")["model_id"])
    found: dict[str, str] = {}
    for name in sorted(arena, key=lambda name: _order(name, lines)):
        line = canonical(_NO_THINKING.sub("", _THINKING.sub("", name)))
        if name in lines or line in lines:
            found[name if name in lines else line] = name
    for model, name in RATED_AS.items():
        found.pop(model, None)
        if name is not None and model in lines:
            found[model] = name
    return found


def _order(name: str, lines: set[str]) -> tuple[bool, bool, str]:
    """Return a sort key: the best name of a line comes last."""
    return (_THINKING.search(name) is None, name in lines, name)


if __name__ == "__main__":
    main(*sys.argv[1:])
