"""Change of a model's ability from English to another language, from published results by language.

Two sources: the multilingual MMLU that OpenAI published (``multilingual_mmlu.csv``, ten models, professional
translations; openai/simple-evals at ee3b031, MIT) and an arena's ratings by language. In each a result in a language
is a line of the result in English. The loss of every model shows in MMLU alone, since ratings have no zero; the greater
loss of weaker ones, the slope, in both. The rest of a model's own results is its deviation, shrunk by its error.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.classify.text.language import ENGLISH, VALIDATED
from llm_audit.classify.training.abilities import BOARDS, REFERENCE, arena_model
from llm_audit.classify.training.data import shipped

Array = npt.NDArray[np.float64]
EXAM: Final = "MMLU"
EXAM_SOURCE: Final = "multilingual MMLU"
EXAM_SE: Final = 0.12
"""Standard error, in logits of its score, of a model's result in one language: protocol rather than sampling."""
ARENA_SOURCE: Final = "LMArena by language"
ARENA_LANGUAGES: Final = {
    "german": "de",
    "french": "fr",
    "spanish": "es",
    "russian": "ru",
    "chinese": "zh",
    "japanese": "ja",
    "korean": "ko",
}
SLOPE_SD: Final = 0.1
"""By which the slopes of two sources may differ for the same language."""
LEVEL_SD: Final = 0.2
"""Logits by which everyday prompts may lose more or less than a translated exam."""
LEAST_DEVIATION_SD: Final = 0.1
_NINETY_FIVE_PERCENT: Final = 1.96


class LanguageAbility(msgspec.Struct, kw_only=True, frozen=True):
    """A row of ``language_abilities.csv``, in logits of ability.

    Without ``model_id`` it is the line of a language: the shift of a model of ability zero, what each logit of ability
    adds to it, and the standard deviation for a model without results of its own. With one, ``shift`` is added to the
    line's.
    """

    language: str
    model_id: str
    shift: float
    slope: float
    sd: float
    source: str


class _Series(NamedTuple):
    """Results of models in a language and in English, in logits of a score that rises by ``scale`` with ability."""

    models: Sequence[str]
    own: Array
    english: Array
    error: Array
    scale: float
    source: str


class _Line(NamedTuple):
    slope: float
    slope_variance: float
    at: Array
    """The line's own results."""
    deviation_sd: float


def fit(ratings: Path, scales: Mapping[str, float]) -> list[LanguageAbility]:
    """Fit the languages that are judged, English left out.

    Args:
        ratings: The arena's ratings by board.
        scales: How much a benchmark's score rises with ability (``abilities.slopes``).
    """
    exams, boards = _exams(scales[EXAM]), _boards(ratings, scales)
    known = {code: [one[code] for one in (exams, boards) if code in one] for code in (*exams, *boards)}
    lines = {code: [_line(series) for series in known[code]] for code in known}
    slopes = {code: _mean_slope(lines[code]) for code in known}
    levels = {code: _level(known[code][0], lines[code][0]) for code in exams}
    mean_slope, mean_level = (float(np.mean(list(values.values()))) for values in (slopes, levels))
    unseen_slope, unseen_level = (float(np.std(list(values.values()), ddof=1)) for values in (slopes, levels))
    out = []
    for code in VALIDATED:
        if code == ENGLISH:
            continue
        spread = LEVEL_SD if code in levels else math.hypot(LEVEL_SD, unseen_level)
        own_sd = max((line.deviation_sd for line in lines.get(code, [])), default=LEAST_DEVIATION_SD)
        sources = [series.source for series in known.get(code, [])]
        out.append(
            LanguageAbility(
                language=code,
                model_id="",
                shift=levels.get(code, mean_level),
                slope=slopes.get(code, mean_slope),
                sd=math.hypot(spread, own_sd, 0.0 if code in known else unseen_slope),
                source="; ".join(sources) or "prior: the other languages",
            )
        )
        out += _deviations(code, known.get(code, []), lines.get(code, []), spread=spread)
    return out


def _exams(scale: float) -> dict[str, _Series]:
    scores = shipped("multilingual_mmlu.csv").with_columns(y=(pl.col("score") / (1 - pl.col("score"))).log())
    english = scores.filter(language=ENGLISH).select("model_id", english="y")
    return {
        str(code): _Series(
            frame["model_id"].to_list(),
            frame["y"].to_numpy(),
            frame["english"].to_numpy(),
            np.full(len(frame), EXAM_SE),
            scale,
            EXAM_SOURCE,
        )
        for (code,), frame in sorted(scores.join(english, on="model_id").sort("model_id").group_by("language"))
        if code != ENGLISH
    }


def _boards(path: Path, scales: Mapping[str, float]) -> dict[str, _Series]:
    logit = math.log(10) / 400
    frame = (
        pl.read_parquet(path)
        .filter(pl.col("board") == "style_control")
        .select(
            "arena_category",
            model_id=pl.col("arena_model").map_elements(arena_model, return_dtype=pl.String),
            y=pl.col("rating") * logit,
            error=(pl.col("rating_high") - pl.col("rating_low")) / 2 / _NINETY_FIVE_PERCENT * logit,
        )
        .group_by("arena_category", "model_id")
        .agg(pl.col("y", "error").mean())
        .sort("model_id")
    )
    english = frame.filter(arena_category="english").select("model_id", english="y", english_error="error")
    scale = float(np.mean([scales[f"LMArena {name}"] for name, _ in BOARDS.values()]))
    out = {}
    for board, code in ARENA_LANGUAGES.items():
        both = frame.filter(arena_category=board).join(english, on="model_id").sort("model_id")
        error = np.hypot(both["error"].to_numpy(), both["english_error"].to_numpy())
        own, of_english = both["y"].to_numpy(), both["english"].to_numpy()
        out[code] = _Series(both["model_id"].to_list(), own, of_english, error, scale, ARENA_SOURCE)
    return out


def _line(series: _Series) -> _Line:
    """Fit the line by least squares, and how far models stray from it beyond the errors of their results."""
    x, y = series.english - series.english.mean(), series.own - series.own.mean()
    slope = float((x * y).sum() / (x * x).sum())
    residual = y - slope * x
    variance = float((residual**2).sum() / (len(x) - 2))
    beyond = math.sqrt(max(variance - float((series.error**2).mean()), 0.0)) / series.scale
    return _Line(
        slope=slope,
        slope_variance=variance / float((x * x).sum()),
        at=series.own - residual,
        deviation_sd=max(beyond, LEAST_DEVIATION_SD),
    )


def _mean_slope(lines: Sequence[_Line]) -> float:
    """Logits of shift that a logit of ability adds, the mean of the sources by their certainty."""
    weight = [1 / (line.slope_variance + SLOPE_SD**2) for line in lines]
    return float(np.average([line.slope - 1 for line in lines], weights=weight))


def _level(series: _Series, line: _Line) -> float:
    """Shift, in logits of ability, of the model whose ability is the zero of the scale."""
    at = list(series.models).index(REFERENCE)
    return float(line.at[at] - series.english[at]) / series.scale


def _deviations(
    code: str, series: Sequence[_Series], lines: Sequence[_Line], *, spread: float
) -> list[LanguageAbility]:
    found: dict[str, list[tuple[float, float, float, str]]] = {}
    for one, line in zip(series, lines, strict=True):
        for model, residual, error in zip(one.models, one.own - line.at, one.error, strict=True):
            precision = (one.scale / float(error)) ** 2
            found.setdefault(model, []).append((float(residual) / one.scale, precision, line.deviation_sd, one.source))
    out = []
    for model, results in sorted(found.items()):
        prior = 1 / max(sd for *_, sd, _ in results) ** 2
        precision = prior + sum(weight for _, weight, *_ in results)
        out.append(
            LanguageAbility(
                language=code,
                model_id=model,
                shift=sum(value * weight for value, weight, *_ in results) / precision,
                slope=0.0,
                sd=math.sqrt(spread**2 + 1 / precision),
                source="; ".join(source for *_, source in results),
            )
        )
    return out


def to_csv(rows: Sequence[LanguageAbility]) -> bytes:
    """Return the shipped file, in the order of ``VALIDATED``, lines before models."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["language", "model_id", "shift", "slope", "sd", "source"])
    for row in rows:
        slope = f"{row.slope:.3f}" if not row.model_id else ""
        writer.writerow([row.language, row.model_id, f"{row.shift:.3f}", slope, f"{row.sd:.3f}", row.source])
    return out.getvalue().encode()
