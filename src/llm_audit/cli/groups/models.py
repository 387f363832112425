"""``llm-audit models``: list, compare and rank the models of the catalogue."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from llm_audit.cli import options
from llm_audit.cli.table import ListFormat, show, show_parts
from llm_audit.errors import UsageError
from llm_audit.suggestions import similar_names, suggest

if TYPE_CHECKING:
    from llm_audit.catalog import Ability, Catalog


class _ListByDefault(TyperGroup):
    """A group whose arguments are those of ``list`` where they name no command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in {"-h", "--help"}):
            args = ["list", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_ListByDefault)


@app.command("list")
def list_(
    pattern: Annotated[str, typer.Argument(help="Part of the name of a model or family.")] = "",
    *,
    category: Annotated[
        str, typer.Option(help="Category of the abilities to show, such as code, math or knowledge.")
    ] = "code",
    output_format: ListFormat = "table",
) -> None:
    """List models with tier, context window, capabilities, and ability with its 90% interval and source.

    Ability is in logits, on the same scale as the difficulty of prompts: a model solves half of the prompts whose
    difficulty equals its ability. An empty cell is unknown. `llm-audit models` without a command lists, too.
    """
    import polars as pl

    from llm_audit.catalog import Catalog
    from llm_audit.vocabulary import Category

    if category not in list(Category):
        raise UsageError(f"There is no category {category!r}; use one of {', '.join(Category)}.")
    frame = Catalog.load().frame
    found = frame.filter(
        pl.col("model_id").str.contains(pattern.lower(), literal=True)
        | pl.col("family").cast(pl.String).str.to_lowercase().str.contains(pattern.lower(), literal=True)
    ).sort("family", "model_id", nulls_last=True)
    if not found.height:
        raise UsageError(f"No model or family has {pattern!r} in its name.")
    rows = [_row(row, category, full=output_format == "json") for row in found.iter_rows(named=True)]
    show(rows, output_format, numeric=("context", "max output", "ability", "low", "high"))


@app.command()
def ladder(
    family: Annotated[str, typer.Argument(help="A family, such as nova or claude.")],
    *,
    at: Annotated[str | None, typer.Option(help="Day, such as 2025-06-01; today by default.")] = None,
    output_format: ListFormat = "table",
) -> None:
    """Show the models of a family on offer, cheapest first, with prices, abilities and scores by category.

    A model is no candidate in a category without published scores, nor anywhere if another dominates it: one that costs
    no more, is as able in every category, is measured in those it is measured in, and can do all that it can.
    """
    import polars as pl

    from llm_audit.catalog import Catalog, abilities, ladders
    from llm_audit.policy import dominators, read_models

    at_day = options.day(at)
    catalog = Catalog.load()
    known = ladders(catalog.frame)
    if family.lower() not in known:
        near = similar_names(family.lower(), known)
        raise UsageError(f"There is no ladder {family!r}; there are {', '.join(sorted(known))}.{suggest(near)}")
    days = (at_day - date(1970, 1, 1)).days
    dominated = dominators(read_models(catalog.frame), known[family.lower()], day=days)
    models = {row["model_id"]: row for row in catalog.frame.filter(pl.col("model_id").is_in(dominated)).to_dicts()}
    steps = [
        {
            "model": name,
            **_prices(models[name]),
            "released": models[name]["released"],
            "measured in": [ability.category for ability in abilities(models[name]) if ability.measured],
            "dominated by": by,
        }
        for name, by in dominated.items()
    ]
    scores = [
        {"model": name, **_ability(ability)} for name in dominated for ability in abilities(models[name])
    ]  # fmt: skip
    show_parts({"steps": steps, "abilities": scores}, output_format, numeric=_NUMERIC)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="MODEL", help="A model, as logs name it.")],
    second: Annotated[str, typer.Argument(metavar="OTHER", help="The model to compare it with.")],
    *,
    output_format: ListFormat = "table",
) -> None:
    """Compare two models: prices, sizes, ability by category, readers' preferences, and published claims with sources.

    The difference is of the first model from the other, with its 90% interval; P is the probability of success on a
    prompt of difficulty 0. `measured` is whether both have published scores in the category. The
    preference gap is the share of readers who prefer the first model's answers, net of those who prefer the other's.
    """
    from llm_audit.catalog import Catalog, abilities, claims, rated_as
    from llm_audit.classify.irt import p_success

    catalog = Catalog.load()
    rows = [_found(catalog, name) for name in (first, second)]
    names = [row["model_id"] for row in rows]
    if names[0] == names[1]:
        raise UsageError(f"{first} and {second} are the same model, {names[0]}; name two.")
    models = [
        {
            "model": row["model_id"],
            "family": row["family"],
            "tier": row["tier"],
            "released": row["released"],
            "parameters": _parameters(row["model_id"]),
            **_prices(row),
            "rated as": rated_as(row["model_id"]),
        }
        for row in rows
    ]
    categories = []
    for one, other in zip(*(abilities(row) for row in rows), strict=True):
        difference = one.less(other)
        successes = [None if side.mean is None else f"{float(p_success(side.mean, 0.0)):.0%}" for side in (one, other)]
        categories.append(
            {
                "category": one.category,
                names[0]: _signed(one.mean),
                names[1]: _signed(other.mean),
                "difference": _signed(difference and difference[0]),
                "low": _signed(difference and difference[1]),
                "high": _signed(difference and difference[2]),
                f"P {names[0]}": successes[0],
                f"P {names[1]}": successes[1],
                "scores": f"{one.scores} and {other.scores}",
                "measured": "yes" if one.measured and other.measured else "no",
            }
        )
    parts = {"models": models, "categories": categories, "preferences": _preferences(*names), "claims": claims(*names)}
    show_parts(parts, output_format, numeric=_NUMERIC)


_NUMERIC = (
    "input", "output", "ability", "low", "high", "scores", "difference", "small_score", "large_score", "preference gap",
)  # fmt: skip
_CAPABILITIES = ("vision", "audio", "tools", "json_schema", "reasoning")


def _row(row: dict[str, Any], category: str, *, full: bool) -> dict[str, Any]:
    ability, deviation = row[f"ability_{category}"], row[f"ability_{category}_sd"]
    margin = None if ability is None or deviation is None else 1.645 * deviation
    shown = {
        "model": row["model_id"],
        "family": row["family"],
        "tier": row["tier"],
        "released": None if row["released"] is None else str(row["released"]),
        "context": row["context_window"],
        "max output": row["max_output"],
        "ability": None if ability is None else f"{ability:+.2f}",
        "low": None if margin is None else f"{ability - margin:+.2f}",
        "high": None if margin is None else f"{ability + margin:+.2f}",
        "source": row["ability_source"],
    }
    if full:
        return shown | {name: row[name] for name in _CAPABILITIES}
    can = [name for name in _CAPABILITIES if row[name]]
    unknown = [f"{name}?" for name in _CAPABILITIES if row[name] is None]
    return {**shown, "can": [*can, *unknown]}


def _found(catalog: Catalog, name: str) -> dict[str, Any]:
    import polars as pl

    line = catalog.resolve(None, name)
    if line is None:
        raise UsageError(f"The catalog does not know {name!r}; `llm-audit models` lists the known ones.")
    return catalog.frame.row(by_predicate=pl.col("model_id") == line, named=True)


def _prices(row: dict[str, Any]) -> dict[str, Any]:
    """Return the list prices, in dollars per million tokens."""
    return {"input": row["input_usd_per_mtok"], "output": row["output_usd_per_mtok"]}


def _parameters(model: str) -> str | None:
    from llm_audit.catalog import parameters

    found = parameters(model)
    if found is None:
        return None
    total, active = found
    return f"{total:g}B" if total == active else f"{total:g}B, {active:g}B active"


def _preferences(first: str, second: str) -> list[dict[str, Any]]:
    """Return the preference gap over all, by category and by language; one row where either was not rated."""
    from llm_audit.catalog import LANGUAGES, preference_gap
    from llm_audit.vocabulary import Category

    asked = [("all", preference_gap(first, second))]
    asked += [(category.value, preference_gap(first, second, category=category)) for category in Category]
    asked += [(f"all, in {language}", preference_gap(first, second, language=language)) for language in LANGUAGES]
    if asked[0][1] is None:
        asked = asked[:1]
    return [
        {
            "answers": name,
            "preference gap": "unknown" if found is None else f"{found.share:+.1%}",
            "low": found and f"{found.low:+.1%}",
            "high": found and f"{found.high:+.1%}",
        }
        for name, found in asked
    ]


def _ability(ability: Ability) -> dict[str, Any]:
    low, high = ability.interval or (None, None)
    return {
        "category": ability.category,
        "ability": _signed(ability.mean),
        "low": _signed(low),
        "high": _signed(high),
        "scores": ability.scores,
        "measured": "yes" if ability.measured else "no",
        "source": ability.source,
    }


def _signed(logits: float | None) -> str | None:
    return None if logits is None else f"{logits:+.2f}"
