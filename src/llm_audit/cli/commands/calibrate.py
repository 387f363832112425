"""``llm-audit calibrate``: calibrate abilities and difficulties with your own verdicts or outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_audit.cli import options
from llm_audit.cli.console import say
from llm_audit.cli.inspection import Logs, open_with_policy
from llm_audit.cli.labels import STRONG, WEAK, abilities_of, read_labels
from llm_audit.cli.verdicts import account, is_verdicts, match, read_verdicts
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from llm_audit.classify.learning.calibrate import Outcome
    from llm_audit.classify.learning.calibration import Calibration
    from llm_audit.classify.learning.posterior import Posterior
    from llm_audit.classify.learning.verdicts import Judged

_NINETY = 1.645
"""Standard deviations on either side of 90 % of a normal distribution."""


def calibrate(
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS",
            help="Parquet, JSONL or CSV with request, verdict; or prompt, model, score; "
            "or prompt, strong_score, weak_score.",
        ),
    ],
    *,
    logs: Logs = None,
    small: Annotated[
        str | None, typer.Option("--to", help="The smaller model of verdicts that do not name it in small_model.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Calibration file to write.")] = Path(
        "calibration.json"
    ),
    policy: options.Policy = None,
    cache: options.Cache = None,
    config_file: options.ConfigFile = None,
) -> None:
    """Calibrate with your own verdicts or outcomes, a hundred or more; use the file with --calibration.

    A verdict is win, tie or loss of a smaller model on a request of the logs (--logs), by its id, request key or
    FILE:LINE. An outcome is a prompt with a model's score, from 0 (failed) to 1 (succeeded).
    """
    rows = read_labels(labels)
    if is_verdicts(rows):
        found = _of_verdicts(labels, logs or [], small=small, policy=policy, cache=cache, config_file=config_file)
    elif logs or small:
        raise UsageError(f"{labels} has no column verdict; --logs and --to are for verdicts.")
    else:
        found = _of_outcomes(read_labels(labels, "prompt"), labels)
    found.save(output)
    say(f"Wrote {output}")


def _of_outcomes(rows: pl.DataFrame, path: Path) -> Calibration:
    from llm_audit.catalog import Catalog
    from llm_audit.classify.learning.calibrate import calibrate as fit
    from llm_audit.classify.learning.evaluate import GENERIC_STRONG, GENERIC_WEAK
    from llm_audit.classify.model import Classifier

    outcomes = _outcomes(rows, path)
    catalog = Catalog.load()
    generic = {STRONG: GENERIC_STRONG, WEAK: GENERIC_WEAK}
    abilities = {
        name: abilities_of(catalog, None if name in generic else name, generic=generic.get(name, 0.0))
        for name in dict.fromkeys(outcome.model for outcome in outcomes)
    }
    found = fit(outcomes, Classifier.load(), abilities)
    loss = f"mean log loss {found.before:.3f} before, {found.after:.3f} after (cross-validated)"
    say(f"{found.outcomes:,} outcomes: {loss}.")
    for model, shift in sorted(found.shift.items()):
        say(f"{model}: ability {shift:+.2f} ± {_NINETY * found.shift_sd[model]:.2f}")
    return found


def _of_verdicts(
    path: Path, logs: list[str], *, small: str | None, policy: str | None, cache: bool | None, config_file: Path | None
) -> Calibration:
    from llm_audit.classify import Classifier
    from llm_audit.classify.learning import verdicts
    from llm_audit.classify.learning.calibration import Calibration
    from llm_audit.classify.learning.posterior import ability_name
    from llm_audit.vocabulary import Category

    if not logs:
        raise UsageError(f"{path} holds verdicts; name the logs of their requests with --logs.")
    given = read_verdicts(path)
    classifier = Classifier.load().fingerprint
    opened = open_with_policy(logs, policy=policy, prices=None, cache=cache, config_file=config_file)
    with opened as (ledger, tools, _):
        if ledger.manifest.fingerprints.get("classifier") != classifier:
            raise UsageError(
                "The ledger was judged by another classifier or with a calibration. Give the logs themselves."
            )
        catalog, assumed = tools["catalog"], tools["policy"].assumptions
        judged, rejected = match(given, ledger, catalog, small=small)
    if rejected:
        say(account(rejected))
    priors = verdicts.Priors(
        ability={
            ability_name(row["model_id"], category): row[f"ability_{category}_sd"] or 0.0
            for row in catalog.frame.iter_rows(named=True)
            for category in Category
        },
        difficulty_common_sd=assumed.difficulty_common_sd,
        difficulty_sd=assumed.difficulty_sd,
    )
    before, after = verdicts.cross_validated(judged, priors)
    posterior = verdicts.fit(judged, priors)
    say(f"{len(judged):,} verdicts: mean log loss {before:.3f} before, {after:.3f} after (cross-validated).")
    for line in _losses(judged, posterior):
        say(line)
    return Calibration.of_verdicts(posterior, classifier=classifier, verdicts=len(judged), before=before, after=after)


def _losses(judged: list[Judged], posterior: Posterior) -> list[str]:
    """Write how many answers each pair of models lost, beside how many were expected before and after."""
    from llm_audit.classify.learning.verdicts import Verdict, chances

    before, after = chances(judged)[:, 2], chances(judged, posterior)[:, 2]
    pairs: dict[tuple[str, str], list[int]] = {}
    for at, one in enumerate(judged):
        pairs.setdefault((one.used[0], one.small[0]), []).append(at)
    return [
        f"{used} to {small}: {sum(judged[at].verdict is Verdict.LOSS for at in rows):,} of {len(rows):,} answers lost; "
        f"{before[rows].sum():.1f} expected before, {after[rows].sum():.1f} after."
        for (used, small), rows in sorted(pairs.items())
    ]


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
