"""PromptExplanation of a difficulty in words."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import msgspec
import numpy as np

from llm_audit.classify import heads
from llm_audit.classify.characters import COUNTS
from llm_audit.classify.features import clip, encoded, pack
from llm_audit.classify.hashing import buckets_numpy, words
from llm_audit.classify.model import Classifier, Scores
from llm_audit.classify.text import exam
from llm_audit.classify.text.structure import NAMES
from llm_audit.vocabulary import Abstention, Category

MOST_WORDS: Final = 8
_LEAST: Final = 0.005
_LENGTHS: Final = ("characters", "words")


class Reason(msgspec.Struct, frozen=True):
    """One thing that moved the difficulty, and by how many logits."""

    text: str
    logits: float


class PromptExplanation(msgspec.Struct, frozen=True):
    """Why a text was judged as it was.

    ``difficulty`` is None where the classifier abstains, for the reason in ``abstention``. ``kinds`` are the kinds of
    task with their shares, largest first. ``reasons`` add up to the difficulty; ``words`` are the words and pairs that
    count most within the reason they belong to, largest effect first.
    """

    difficulty: float | None
    category: Category
    abstention: Abstention | None
    language: str | None
    kinds: list[tuple[str, float]]
    reasons: list[Reason]
    words: list[Reason]


def explain(text: str, classifier: Classifier) -> PromptExplanation:
    """Explain the judgement of a text. The result quotes words of the text: it is for the text's owner."""
    judged = classifier.judge([text])
    scored = classifier.scores([encoded(text)])
    shares = heads.shares(scored.scores)[0]
    lettered = bool(heads.lettered(scored.raw)[0])
    reasons = _of_exam(text, classifier, scored) if lettered else _of_ask(classifier, scored)
    difficulty = float(judged.difficulty[0])
    learnt = difficulty - sum(reason.logits for reason in reasons)
    if classifier.delta is not None and np.isfinite(learnt):
        reasons.append(Reason("learnt from your own outcomes", learnt))
    code = int(judged.abstention[0])
    names = sorted(zip(heads.KINDS, shares.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
    return PromptExplanation(
        difficulty=None if code else difficulty,
        category=list(Category)[int(judged.category[0])],
        abstention=list(Abstention)[code - 1] if code else None,
        language=judged.language[0],
        kinds=names,
        reasons=[] if code else [reason for reason in reasons if abs(reason.logits) >= _LEAST],
        words=[] if code else _word_reasons(text, classifier, column="within" if lettered else "level"),
    )


def _of_ask(classifier: Classifier, scored: Scores) -> list[Reason]:
    """The parts of a level: its constant, its length, the rest of its structure, its words."""
    column = heads.COLUMNS.index("level")
    weights = classifier.dense[:, column]
    structure = scored.raw[0] * weights
    long = sum(float(structure[NAMES.index(name)]) for name in _LENGTHS)
    constant = float(classifier.bias[column])
    total = float(scored.scores[0, column])
    words_said = total - constant - float(structure.sum())
    count = int(scored.counts[0, COUNTS.index("words")])
    return [
        Reason("the start of the scale", constant),
        Reason(f"its length, {count} words", long),
        Reason("its layout, numbers and symbols", float(structure.sum()) - long),
        Reason("its words", words_said),
        Reason("the spread of levels", float(heads.level_of(scored.scores[:, column], classifier.level)[0]) - total),
    ]


def _of_exam(text: str, classifier: Classifier, scored: Scores) -> list[Reason]:
    """The parts of an exam item's difficulty, and what its form does to them."""
    parts = heads.exam_parts(scored.scores, scored.raw, exam=classifier.exam, slope=classifier.slope)
    count = int(scored.counts[0, COUNTS.index("words")])
    names = ("an exam question", "its notation", f"its length, {count} words", "its words")
    reasons = [Reason(name, float(part[0])) for name, part in zip(names, parts, strict=True)]
    options = scored.counts[:, COUNTS.index("options")].astype(np.float64)
    of_text = np.array([sum(reason.logits for reason in reasons)])
    form = float((exam.in_form(of_text, options, [encoded(text)]) - of_text)[0])
    return [*reasons, Reason(f"{int(options[0])} answers to choose from, {_judged_at_once(text)}", form)]


def _judged_at_once(text: str) -> str:
    count = exam.statements(clip(text))
    return "one thing to judge" if count == 1 else f"{count} statements to judge at once"


def _word_reasons(text: str, classifier: Classifier, *, column: str) -> list[Reason]:
    """The words and neighbouring pairs whose table rows move the difficulty most."""
    found = words(clip(text))
    candidates = list(dict.fromkeys([*found, *(f"{a} {b}" for a, b in pairwise(found))]))
    _, _, counts = buckets_numpy(*pack([text]))
    place = heads.COLUMNS.index(column)
    of_row = classifier.scale[place] * classifier.table[:, place].astype(np.float64)
    of_row /= np.sqrt(max(int(counts[0, COUNTS.index("features")]), 1))
    owner, bucket, _ = buckets_numpy(*pack(candidates))
    alone = np.bincount(owner, of_row[bucket], minlength=len(candidates))
    single = {word: float(value) for word, value in zip(candidates, alone, strict=True) if " " not in word}
    reasons = [
        # a pair's text holds its two words too: what is left is the pair itself
        Reason(name, float(value) - sum(single[word] for word in set(name.split(" "))) if " " in name else float(value))
        for name, value in zip(candidates, alone, strict=True)
    ]
    reasons.sort(key=lambda reason: (-abs(reason.logits), reason.text))
    return [reason for reason in reasons[:MOST_WORDS] if abs(reason.logits) >= _LEAST]
