"""``llm-audit calibrate``: calibrate the classifier with your own outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_audit.cli.console import say
from llm_audit.cli.labels import STRONG, WEAK, abilities_of, read_labels
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.classify.learning.calibrate import Outcome


def calibrate(
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS",
            help="Parquet, JSONL or CSV with prompt, model, score; or prompt, strong_score, weak_score.",
        ),
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Calibration file to write.")] = Path(
        "calibration.json"
    ),
) -> None:
    """Calibrate the classifier with your own outcomes, a hundred or more; use the file with --calibration.

    Scores range from 0 (failed) to 1 (succeeded).
    """
    from llm_audit.catalog import Catalog
    from llm_audit.classify.learning.calibrate import calibrate as fit
    from llm_audit.classify.learning.evaluate import GENERIC_STRONG, GENERIC_WEAK
    from llm_audit.classify.model import Classifier

    outcomes = _outcomes(read_labels(labels, "prompt"), labels)
    catalog = Catalog.load()
    generic = {STRONG: GENERIC_STRONG, WEAK: GENERIC_WEAK}
    abilities = {
        name: abilities_of(catalog, None if name in generic else name, generic=generic.get(name, 0.0))
        for name in dict.fromkeys(outcome.model for outcome in outcomes)
    }
    found = fit(outcomes, Classifier.load(), abilities)
    found.save(output)
    loss = f"mean log loss {found.before:.3f} before, {found.after:.3f} after (cross-validated)"
    say(f"{found.outcomes:,} outcomes: {loss}.")
    for model, shift in sorted(found.shift.items()):
        say(f"{model}: ability {shift:+.2f} ± {1.645 * found.shift_sd[model]:.2f}")
    say(f"Wrote {output}")


def _outcomes(rows: pl.DataFrame, path: Path) -> list[Outcome]:
    from llm_audit.classify.learning.calibrate import Outcome

    if {"model", "score"} <= set(rows.columns):
        return [Outcome(**row) for row in rows.select("prompt", "model", "score").drop_nulls().iter_rows(named=True)]
    if not {"strong_score", "weak_score"} <= set(rows.columns):
        raise UsageError(f"{path} needs the columns model and score, or strong_score and weak_score.")
    found: list[Outcome] = []
    for side, unnamed in (("strong", STRONG), ("weak", WEAK)):
        models = rows[f"{side}_model"].to_list() if f"{side}_model" in rows.columns else [unnamed] * rows.height
        scores = rows[f"{side}_score"].to_list()
        found += [
            Outcome(prompt=prompt, model=model or unnamed, score=score)
            for prompt, model, score in zip(rows["prompt"].to_list(), models, scores, strict=True)
            if score is not None
        ]
    return found
