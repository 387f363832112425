"""The catalogue of models: a row for each model line, found by the name in a log."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date
from importlib import resources

import polars as pl

from llm_audit.catalog.aliases import Aliases
from llm_audit.catalog.known_abilities import with_abilities
from llm_audit.catalog.tiers import with_tiers
from llm_audit.catalog.unmeasured import with_estimates
from llm_audit.model_names import canonical, parse, provider_id

MODELS_FILE = "models.parquet"
_CALIBRATED = "; calibrated by your own outcomes"

SCHEMA: dict[str, type[pl.DataType]] = {
    "model_id": pl.String,
    "family": pl.String,
    "developer": pl.String,
    "kind": pl.String,
    "home_provider": pl.String,
    "home_model": pl.String,
    "released": pl.Date,
    "retired": pl.Date,
    "context_window": pl.Int64,
    "max_output": pl.Int64,
    "vision": pl.Boolean,
    "audio": pl.Boolean,
    "tools": pl.Boolean,
    "json_schema": pl.Boolean,
    "reasoning": pl.Boolean,
    "input_usd_per_mtok": pl.Float64,
    "output_usd_per_mtok": pl.Float64,
    "ability_as": pl.String,
    "sources": pl.String,
}
"""Columns of models.csv; null is unknown everywhere."""


class Catalog:
    """Models by their undated line (``gpt-4o-mini``, ``claude-haiku-4-5``).

    Attributes:
        frame: A row for each model, sorted by ``model_id``: ``family``, ``developer``, ``kind`` (``chat``, ``special``,
            ``alias`` for a name that moves between models, or another mode), ``tier`` (small, mid, frontier or null),
            ``home_provider`` and ``home_model`` (the provider and name of the developer's own listing),
            ``released``, ``retired`` (Date), ``context_window``, ``max_output`` (tokens), ``vision``, ``audio``,
            ``tools``, ``json_schema``, ``reasoning`` (Boolean), ``input_usd_per_mtok``, ``output_usd_per_mtok`` (the
            latest list price, for ordering only: costs come from ``pricing``), ``ability_<category>``,
            ``ability_<category>_sd``, ``measured_<category>``, ``ability_source``, and ``ability_of`` (the name in
            ``abilities.csv`` whose abilities these are; null for a prior). Null is unknown.
    """

    def __init__(self, frame: pl.DataFrame, *, aliases: Mapping[str, str] | None = None) -> None:
        self.frame = frame
        self._aliases = Aliases(aliases)
        self._known = frozenset(frame["model_id"])
        self._resolved: dict[tuple[str | None, str], str | None] = {}
        self._served = _served()

    @classmethod
    def load(cls, *, aliases: Mapping[str, str] | None = None) -> Catalog:
        """Return the packaged tables, one object for the same aliases, so that what is made of it is made once.

        Args:
            aliases: The user's names for models, to references such as ``azure/gpt-4o``.
        """
        return _loaded(tuple((aliases or {}).items()))

    @property
    def aliases(self) -> tuple[tuple[str, str], ...]:
        """Return the user's names with what each stands for, in the order in which patterns are tried."""
        return self._aliases.names

    @functools.cached_property
    def homes(self) -> dict[str, tuple[str | None, str | None]]:
        """Return the provider and name of each model's own listing; None where it has none."""
        listed = self.frame.select("model_id", "home_provider", "home_model")
        return {model: (provider, name) for model, provider, name in listed.iter_rows()}

    def shifted(self, shifts: Mapping[str, Mapping[str, tuple[float, float]]]) -> Catalog:
        """Return the catalogue with the abilities that a user measured.

        Args:
            shifts: Logits to add by a model's name and category, with their standard deviation, which replaces a wider
                one. Names that are not in the catalogue are ignored.
        """
        frame = self.frame
        for name, by_category in shifts.items():
            if (line := self.resolve(None, name)) is None:
                continue
            at = pl.col("model_id") == line
            changes = [change for category, shift in by_category.items() for change in _shifted(at, category, *shift)]
            source = pl.format("{}" + _CALIBRATED, pl.col("ability_source").fill_null("unknown"))
            frame = frame.with_columns(*changes, ability_source=pl.when(at).then(source).otherwise("ability_source"))
        shifted = Catalog(frame)
        shifted._aliases = self._aliases
        return shifted

    @property
    def unmeasured(self) -> list[str]:
        """The models whose ability is a prior, a predecessor's or an estimate, and which were not calibrated."""
        source = pl.col("ability_source").str
        return self.frame.filter(source.starts_with("prior") & ~source.ends_with(_CALIBRATED))["model_id"].to_list()

    def resolve(self, provider: str | None, model: str | None, *, day: date | None = None) -> str | None:
        """Return the model line of a name in a log; None where it is not in the catalogue.

        Args:
            provider: The provider of the call, where known.
            model: The name.
            day: The day of the request, for names that move between models (``mistral-large-latest``); without it, and
                before the first known day, such a name is the latest and the first model it served.
        """
        if not model:
            return None
        key = (provider, model)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(provider, model)
        line = self._resolved[key]
        if line not in self._served:
            return line
        models = self._served[line]
        since = [model for first, model in models if day is None or first <= day]
        return since[-1] if since else models[0][1]

    def provider(self, provider: str | None, model: str | None) -> str | None:
        """Return the price table's id of the provider of a call; None where names and aliases do not tell."""
        if not model:
            return provider_id(provider)
        target = self._aliases.target(provider, model)
        return parse(None, target).provider or provider_id(provider) if target else parse(provider, model).provider

    def _resolve(self, provider: str | None, model: str) -> str | None:
        if target := self._aliases.target(provider, model):
            provider, model = None, target
        names = (canonical(parse(provider, model).model), canonical(model))
        return next((name for name in names if name in self._known or name in self._served), None)


@functools.lru_cache(maxsize=4)
def _loaded(aliases: tuple[tuple[str, str], ...]) -> Catalog:
    return Catalog(packaged_models(), aliases=dict(aliases))


@functools.cache
def packaged_models() -> pl.DataFrame:
    """Return the packaged rows of models, see ``Catalog.frame``: those of ``worked_out``, which takes some time."""
    return pl.read_parquet(resources.files("llm_audit.catalog").joinpath(MODELS_FILE).read_bytes())


def worked_out() -> pl.DataFrame:
    """Return the rows of models as the packaged tables give them; ``scripts/build_models.py`` packages them."""
    data = resources.files("llm_audit.catalog").joinpath("models.csv").read_bytes()
    models = pl.read_csv(data, schema=SCHEMA)
    return with_estimates(with_tiers(with_abilities(models))).drop("ability_as").sort("model_id")


@functools.cache
def _served() -> dict[str | None, list[tuple[date, str]]]:
    """Return the models that moving names served, with the first day of each, earliest first.

    Where a developer's notes give no day for a move, it is the release of the model moved to.
    """
    data = resources.files("llm_audit.catalog").joinpath("served.csv").read_bytes()
    rows = pl.read_csv(data, try_parse_dates=True).sort("name", "since")
    served: dict[str | None, list[tuple[date, str]]] = {}
    for name, since, model in rows.select("name", "since", "model_id").iter_rows():
        served.setdefault(name, []).append((since, model))
    return served


def _shifted(at: pl.Expr, category: str, logits: float, deviation: float) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return the columns of a category with what a user measured of some models."""
    ability, spread, measured = f"ability_{category}", f"ability_{category}_sd", f"measured_{category}"
    return (
        pl.when(at).then(pl.col(ability) + logits).otherwise(ability).alias(ability),
        pl.when(at).then(pl.min_horizontal(spread, deviation)).otherwise(spread).alias(spread),
        pl.col(measured) | at,
    )
