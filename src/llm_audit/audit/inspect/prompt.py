"""A text's judgement in words, and the smallest model of each family that a policy would give it to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from llm_audit.audit.inspect.reasons import chosen_because, refused_because
from llm_audit.catalog import Catalog, ladders
from llm_audit.classify.contributions import PromptExplanation as Judged
from llm_audit.classify.contributions import explain
from llm_audit.classify.known import known_sets, nearest
from llm_audit.classify.model import Classifier
from llm_audit.document.explanation import Contribution, FamilyChoice, KnownExample, PromptExplanation
from llm_audit.ledger.schema import SCHEMA
from llm_audit.policy import (
    CandidateFigures,
    Policy,
    plan,
    read_models,
    traffic_of,
    undominated,
    with_models,
)
from llm_audit.pricing import PriceBook, price
from llm_audit.vocabulary import Category, Stakes

INPUT_TOKENS: Final = 1_000
OUTPUT_TOKENS: Final = 500
"""Size of the request that a text is priced as, since what a lost answer costs is weighed against what a move saves."""

NO_CANDIDATE: Final = "no cheaper model on offer was measured in this category"

_BEYOND: Final = 0.5
"""Logits beyond the easiest or hardest known set at which a text is no longer about as hard."""

_LANGUAGES: Final = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "hi": "Hindi", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ru": "Russian",
    "zh": "Chinese",
}  # fmt: skip


def explain_prompt(
    text: str, classifier: Classifier, *, policy: Policy, catalog: Catalog, book: PriceBook
) -> PromptExplanation:
    """Explain how a text is judged, and which model of each family the policy would give it to.

    Args:
        text: The text; the result quotes words of it.
        classifier: The weights.
        policy: Its ladders, or else those of the catalogue, whose latest flagship is taken as the model used.
        catalog: Models.
        book: Prices.
    """
    judged = explain(text, classifier)
    code = int(classifier.judge([text]).stakes[0])
    stakes = list(Stakes)[code - 1] if code else None
    example = _example(judged)
    return PromptExplanation(
        summary=_summary(judged, stakes, example),
        category=judged.category.value,
        language=judged.language,
        stakes=stakes.value if stakes else None,
        difficulty=judged.difficulty,
        abstention=judged.abstention.value if judged.abstention else None,
        example=example,
        policy=policy.name,
        choices=_choices(judged, stakes, policy=policy, catalog=catalog, book=book),
        kinds=dict(judged.kinds),
        reasons=[Contribution(text=reason.text, logits=reason.logits) for reason in judged.reasons],
        words=[Contribution(text=reason.text, logits=reason.logits) for reason in judged.words],
    )


def _example(judged: Judged) -> KnownExample | None:
    if judged.difficulty is None:
        return None
    known = nearest(judged.difficulty, judged.category)
    easiest, hardest = known_sets()[0], known_sets()[-1]
    comparison = "about as hard as"
    if judged.difficulty < easiest.level - _BEYOND:
        known, comparison = easiest, "easier than"
    elif judged.difficulty > hardest.level + _BEYOND:
        known, comparison = hardest, "harder than"
    return KnownExample(comparison=comparison, example=known.example, level=known.level)


def _summary(judged: Judged, stakes: Stakes | None, example: KnownExample | None) -> str:
    if example is None:
        reason = judged.abstention.value.replace("_", " ") if judged.abstention else "unknown"
        return f"Not judged: {reason}."
    kind = judged.category.value.replace("_", " ")
    article = "An" if kind[0] in "aeiou" else "A"
    language = _LANGUAGES.get(judged.language or "", judged.language) or "an unknown language"
    at_stake = f", with {stakes.value} stakes" if stakes else ""
    return f"{article} {kind} request in {language}{at_stake}, {example.comparison} {example.example}."


def _choices(
    judged: Judged, stakes: Stakes | None, *, policy: Policy, catalog: Catalog, book: PriceBook
) -> list[FamilyChoice]:
    if judged.difficulty is None:
        return []
    flagships = _flagships(policy, catalog, judged.category)
    rows = _requests(judged, stakes, catalog, list(flagships.values()))
    named = with_models(price(rows, book), catalog)
    applied = plan(traffic_of(named, catalog), policy, catalog=catalog, book=book)
    found = []
    for row, (family, used) in enumerate(flagships.items()):
        seen = applied.request(row).candidates()
        chosen = next((one for one in seen if one.chosen), None)
        found.append(
            FamilyChoice(
                family=family,
                used=used,
                model=chosen.model if chosen else used,
                moves=chosen is not None,
                reason=_why(seen, chosen, policy=policy, category=judged.category, stakes=stakes),
            )
        )
    return found


def _flagships(policy: Policy, catalog: Catalog, category: Category) -> dict[str, str]:
    """Return the model in use of each ladder: its last, or in the catalogue's the ablest on offer that was measured."""
    if policy.ladders:
        return {name: ladder[-1] for name, ladder in policy.ladders.items()}
    models, index = read_models(catalog.frame), {name: at for at, name in enumerate(Category)}
    latest: Any = catalog.frame["released"].max()
    day = (latest - date(1970, 1, 1)).days
    place = models.index()
    found = {}
    for family, ladder in ladders(catalog.frame).items():
        offered = undominated(models, ladder, day=day)
        rows = [place[model] for model in offered]
        ability = np.where(models.measured[rows, index[category]], models.ability[rows, index[category]], np.nan)
        if np.isfinite(ability).any():
            found[family] = offered[int(np.nanargmax(ability))]
    return found


def _requests(judged: Judged, stakes: Stakes | None, catalog: Catalog, used: Sequence[str]) -> pl.DataFrame:
    """Return ledger rows of the text, one for each model used, each a conversation of its own."""
    homes = {row["model_id"]: row for row in catalog.frame.iter_rows(named=True)}
    plain = {
        "operation": "chat", "service_tier": "standard", "turns": 1, "input_tokens": INPUT_TOKENS,
        "output_tokens": OUTPUT_TOKENS, "usage_source": "reported", "status": "ok", "judged": "scored",
        "category": judged.category.value, "difficulty": judged.difficulty, "language": judged.language,
        "stakes": stakes.value if stakes else None,
    }  # fmt: skip
    rows = [
        {
            **plain,
            "request_key": number,
            "provider": homes[model]["home_provider"],
            "model": homes[model]["home_model"] or model,
        }
        for number, model in enumerate(used, start=1)
    ]
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in SCHEMA}, schema=dict(SCHEMA), strict=False)


def _why(
    seen: list[CandidateFigures],
    chosen: CandidateFigures | None,
    *,
    policy: Policy,
    category: Category,
    stakes: Stakes | None,
) -> str:
    """Say in words why a model was chosen, or why the ablest of the cheaper ones was not."""
    if not seen:
        return NO_CANDIDATE
    if chosen:
        return chosen_because(chosen)
    ablest = max(seen, key=lambda candidate: (candidate.p_suffices, -candidate.cost_pico))
    return refused_because(ablest, policy, category=category, stakes=stakes)
