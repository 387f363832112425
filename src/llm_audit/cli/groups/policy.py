"""``llm-audit policy``: show, validate and export policies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from llm_audit.cli.console import say, warn
from llm_audit.errors import UsageError

if TYPE_CHECKING:
    from llm_audit.catalog import Catalog
    from llm_audit.policy import Policy

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="POLICY", help="A preset's name or a TOML file.")]


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(metavar="POLICY", help="A preset's name or a TOML file.")] = None,
) -> None:
    """Print a policy as TOML; without a name, list the presets."""
    from llm_audit.policy import PRESETS, load

    if name is None:
        for preset in PRESETS:
            typer.echo(f"{preset:<18}{load(preset).description}")
    else:
        typer.echo(load(name).toml.rstrip())


@app.command()
def validate(name: Name) -> None:
    """Validate a policy file, and check that its ladders name known models in order of price."""
    from llm_audit.catalog import Catalog
    from llm_audit.policy import load

    policy, catalog = load(name), Catalog.load()
    known = set(catalog.frame["model_id"].to_list())
    for ladder, models in policy.ladders.items():
        for model in models:
            if model not in known:
                resolved = catalog.resolve(None, model)
                hint = f" Write {resolved}." if resolved else " `llm-audit models` lists those it knows."
                raise UsageError(f"{name}: ladder {ladder} names {model!r}, which the catalogue does not know.{hint}")
    for ladder, models in policy.ladders.items():
        for low, high in _out_of_order(catalog, models):
            warn(
                f"{name}: ladder {ladder} names {low} before {high}, which costs less; list the models cheapest first."
            )
    say(f"{name} is valid: {policy.description or policy.name}")


def _out_of_order(catalog: Catalog, models: Sequence[str]) -> list[tuple[str, str]]:
    """Return neighbours in a ladder of which the second has the lower list price."""
    from llm_audit.policy import read_models

    known = read_models(catalog.frame)
    prices = dict(zip(known.ids, known.price.tolist(), strict=True))
    return [(low, high) for low, high in pairwise(models) if prices[high] < prices[low]]


@app.command()
def export(
    name: Name,
    *,
    to: Annotated[str, typer.Option("--to", help="System to export to: litellm, bedrock or routellm.")],
    used: Annotated[
        str | None,
        typer.Option("--used", help="Model in use: export the candidates that an audit would choose from, up to it."),
    ] = None,
    ladder: Annotated[
        str | None,
        typer.Option(help="Ladder of the policy or the catalogue, or models separated by commas, cheapest first."),
    ] = None,
    region: Annotated[str, typer.Option(help="AWS region of a Bedrock router.")] = "us-east-1",
) -> None:
    """Print configuration that applies the policy: for LiteLLM, a Bedrock prompt router or RouteLLM."""
    from llm_audit.catalog import Catalog
    from llm_audit.policy import Target, cautions, load
    from llm_audit.policy import export as written

    if to not in list(Target):
        raise UsageError(f"Cannot export to {to!r}; use {', '.join(Target)}.")
    if used and ladder:
        raise UsageError("Give --used or --ladder, not both.")
    policy, catalog = load(name), Catalog.load()
    models = _up_to(policy, catalog, used) if used else _ladder(policy, catalog, ladder)
    text = written(policy, Target(to), ladder=models, catalog=catalog, region=region)
    for caution in cautions(policy, Target(to), ladder=models, region=region):
        warn(caution)
    typer.echo(text.rstrip())


def _ladder(policy: Policy, catalog: Catalog, asked: str | None) -> list[str]:
    """Return the models to route between: those named, a ladder of the policy, or undominated ones of the catalogue."""
    from llm_audit.catalog import ladders
    from llm_audit.policy import read_models, undominated

    if asked is not None and "," in asked:
        return [model.strip() for model in asked.split(",") if model.strip()]
    known = {name: list(models) for name, models in policy.ladders.items()}
    known = known or ladders(catalog.frame)
    if asked is None and len(known) == 1:
        return next(iter(known.values()))
    if asked not in known:
        wrong = "Name a ladder" if asked is None else f"There is no ladder {asked!r}; name one"
        raise UsageError(
            f"{wrong} with --ladder: {', '.join(known)}; or models separated by commas, cheapest first; "
            "or the model in use with --used."
        )
    return known[asked] if policy.ladders else undominated(read_models(catalog.frame), known[asked], day=_today())


def _up_to(policy: Policy, catalog: Catalog, name: str) -> list[str]:
    """Return the candidates that an audit of today would consider for a model in use, and that model."""
    from llm_audit.catalog import ladders
    from llm_audit.policy import candidates_of, read_models

    used = catalog.resolve(None, name)
    if used is None:
        raise UsageError(f"The catalogue does not know {name!r}; `llm-audit models` lists those it does.")
    return candidates_of(policy, read_models(catalog.frame), ladders(catalog.frame), used=used, day=_today())


def _today() -> int:
    """Return today as days since 1970."""
    from datetime import UTC, date, datetime

    return (datetime.now(UTC).date() - date(1970, 1, 1)).days
