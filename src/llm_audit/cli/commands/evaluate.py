"""``llm-audit evaluate``: measure the classifier's routing between two models on labelled prompts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from llm_audit.cli.labels import STRONG, WEAK, abilities_of, read_labels
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.classify.learning.evaluate import Evaluation
    from llm_audit.classify.model import Judgement

CalibrationFile = Annotated[
    Path | None, typer.Option("--calibration", help="Calibration file from `llm-audit calibrate`.")
]


def evaluate(
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="Parquet, JSONL or CSV with prompt, strong_score, weak_score.")
    ],
    *,
    calibration: CalibrationFile = None,
    price_ratio: Annotated[
        float,
        typer.Option(
            min=0, help="Cost of a weak call divided by that of a strong one; by default RouteLLM's $0.24 / $24.70."
        ),
    ] = 0.0097,
    resamples: Annotated[int, typer.Option(min=10, help="Number of bootstrap resamples.")] = 1000,
    output_format: Annotated[str, typer.Option("--format", "-f", help="table or json.")] = "table",
) -> None:
    """Measure the classifier's routing between two models on labelled prompts, as RouteLLM does, and its calibration.

    APGR is the mean share of the gap between the models' scores that routing recovers, over all shares of calls to the
    strong model; CPT50 and CPT80 are the shares of such calls that recover 50 and 80 per cent of it.

    Optional columns strong_model and weak_model name the models whose abilities are used.
    """
    import numpy as np

    from llm_audit.catalog import Catalog
    from llm_audit.classify.learning import evaluate as evaluation
    from llm_audit.classify.learning.calibration import Calibration
    from llm_audit.classify.model import Classifier

    if output_format not in {"table", "json"}:
        raise UsageError(f"There is no format {output_format!r}; use table or json.")
    rows = read_labels(labels, "prompt", "strong_score", "weak_score")
    measured = evaluation.Labels(
        prompts=rows["prompt"].to_list(),
        strong=rows["strong_score"].cast(float).to_numpy().astype(np.float64),
        weak=rows["weak_score"].cast(float).to_numpy().astype(np.float64),
    )
    learned = None if calibration is None else Calibration.load(calibration)
    weights = Classifier.load() if learned is None else learned.apply(Classifier.load())
    judged = weights.judge(measured.prompts)
    suffices = _suffices(judged, rows, Catalog.load(), {} if learned is None else learned.shift)
    found = evaluation.evaluate(measured, judged, suffices, price_ratio=price_ratio, resamples=resamples)
    typer.echo(json.dumps(_document(found, weights.fingerprint), indent=2) if output_format == "json" else _text(found))


def _suffices(judged: Judgement, rows: pl.DataFrame, catalog: Any, shift: Mapping[str, float]) -> Any:
    """Return P(the weak model suffices) of each row, from the abilities of its models and a calibration's shifts."""
    import numpy as np

    from llm_audit.classify.irt import p_suffices
    from llm_audit.classify.learning.evaluate import GENERIC_STRONG, GENERIC_WEAK

    names = [
        rows[column].to_list() if column in rows.columns else [None] * rows.height
        for column in ("strong_model", "weak_model")
    ]
    strong, weak = np.empty(rows.height), np.empty(rows.height)
    for pair in dict.fromkeys(zip(*names, strict=True)):
        at = np.array([i for i, other in enumerate(zip(*names, strict=True)) if other == pair])
        for model, unnamed, generic, ability in (
            (pair[0], STRONG, GENERIC_STRONG, strong),
            (pair[1], WEAK, GENERIC_WEAK, weak),
        ):
            known = abilities_of(catalog, model, generic=generic)[judged.category[at]]
            ability[at] = known + shift.get(model or unnamed, 0.0)
    return p_suffices(weak, strong, judged.difficulty)


def _document(found: Evaluation, fingerprint: str) -> dict[str, Any]:
    """Return the evaluation as a JSON object: shares are fractions of one, intervals have keys of their own."""
    document = msgspec.to_builtins(found)
    for name in ("cpt50", "cpt80"):
        document[f"{name}_interval"] = document[name]
        document[name] = document[name]["value"]
    return {"schema_version": "1.0", "classifier": fingerprint, **document}


def _text(found: Evaluation) -> str:
    def line(name: str, apgr: float, interval: str, cpt50: float, cpt80: float) -> str:
        return f"{name:<12}{apgr:>8.3f}{interval:>18}{cpt50:>8.1%}{cpt80:>8.1%}"

    scored = f"strong {found.strong_mean:.3f}, weak {found.weak_mean:.3f}"
    interval = f"{found.apgr.low:.3f} to {found.apgr.high:.3f}"
    lines = [
        f"{found.prompts:,} prompts, {found.abstained:,} abstained; {scored}",
        "",
        f"{'router':<12}{'APGR':>8}{'interval':>18}{'CPT50':>8}{'CPT80':>8}",
        line("llm-audit", found.apgr.value, interval, found.cpt50.value, found.cpt80.value),
        *(line(name, row.apgr, "", row.cpt50, row.cpt80) for name, row in found.baselines.items()),
    ]
    lines += [
        "",
        f"Cost saving over random routing: {found.cost_saving_50:.2f}x at CPT50, {found.cost_saving_80:.2f}x at CPT80",
        f"Calibration error {found.calibration_error:.3f}, Brier score {found.brier:.3f}",
        "",
        f"{'P(suffices)':<14}{'observed':>10}{'prompts':>10}",
        *(f"{row.predicted:<14.3f}{row.observed:>10.3f}{row.prompts:>10,}" for row in found.reliability),
        "",
        f"{'category':<14}{'prompts':>9}{'gap':>8}{'APGR':>8}{'Brier':>8}{'error':>8}",
    ]
    lines += [
        f"{row.category:<14}{row.prompts:>9,}{row.gap:>8.3f}{'' if row.apgr is None else f'{row.apgr:.3f}':>8}"
        f"{row.brier:>8.3f}{row.error:>+8.3f}"
        for row in found.by_category
    ]
    lines.append("")
    for row in found.down_routes:
        bound = "" if row.rate_upper is None else f", at most {row.rate_upper:.1%} at 95 %"
        lines.append(
            f"At P(suffices) {row.target:.0%}: {row.routed:,} routed to the weak model, {row.lost:,} lost{bound}"
        )
    return "\n".join(lines)
