"""``llm-audit policy``: what a policy says, whether a file is one, and what would enforce it."""

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

app = typer.Typer(help="What a policy says, whether a file is one, and what would enforce it.", no_args_is_help=True)

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
    """Check a policy file, that its ladders name known models, and that these are in order of price."""
    from llm_audit.catalog import Catalog
    from llm_audit.policy import load

    policy, catalog = load(name), Catalog.load()
    known = set(catalog.frame["model_id"].to_list())
    for ladder, models in policy.ladders.items():
        for model in models:
            if model not in known:
                resolved = catalog.resolve(None, model)
                hint = f" Write {resolved}." if resolved else " `llm-audit models` lists those that are."
                raise UsageError(f"{name}: ladder {ladder} names {model!r}, which is no model of the catalogue.{hint}")
    for ladder, models in policy.ladders.items():
        for low, high in _out_of_order(catalog, models):
            warn(f"{name}: ladder {ladder} names {low} before {high}, which costs less; ladders go from cheap to dear.")
    say(f"{name} is valid: {policy.description or policy.name}")


def _out_of_order(catalog: Catalog, models: Sequence[str]) -> list[tuple[str, str]]:
    """Neighbours of a ladder of which the second has the lower list price."""
    from llm_audit.policy import read_models

    known = read_models(catalog.frame)
    prices = dict(zip(known.ids, known.price.tolist(), strict=True))
    return [(low, high) for low, high in pairwise(models) if prices[high] < prices[low]]


@app.command()
def export(
    name: Name,
    *,
    to: Annotated[str, typer.Option("--to", help="litellm, bedrock or routellm.")],
    used: Annotated[
        str | None, typer.Option("--used", help="The model in use: what an audit would choose from, up to it.")
    ] = None,
    ladder: Annotated[
        str | None, typer.Option(help="A ladder of the policy or the catalogue, or models with commas, cheapest first.")
    ] = None,
    region: Annotated[str, typer.Option(help="AWS region of a Bedrock router.")] = "us-east-1",
) -> None:
    """Print what makes a gateway route so: LiteLLM's configuration, a Bedrock prompt router, RouteLLM's threshold."""
    from llm_audit.catalog import Catalog
    from llm_audit.policy import Target, cautions, load
    from llm_audit.policy import export as written

    if to not in list(Target):
        raise UsageError(f"There is no export to {to!r}; use {', '.join(Target)}.")
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
            f"{wrong} with --ladder: {', '.join(known)}; or models with commas, cheapest first; "
            "or the model in use with --used."
        )
    return known[asked] if policy.ladders else undominated(read_models(catalog.frame), known[asked], day=_today())


def _up_to(policy: Policy, catalog: Catalog, name: str) -> list[str]:
    """The candidates an audit of today would have for a model in use, and that model."""
    from llm_audit.catalog import ladders
    from llm_audit.policy import candidates_of, read_models

    used = catalog.resolve(None, name)
    if used is None:
        raise UsageError(f"The catalogue does not know {name!r}; `llm-audit models` lists those it does.")
    return candidates_of(policy, read_models(catalog.frame), ladders(catalog.frame), used=used, day=_today())


def _today() -> int:
    """Days since 1970."""
    from datetime import UTC, date, datetime

    return (datetime.now(UTC).date() - date(1970, 1, 1)).days
