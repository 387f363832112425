"""Resolve settings and their origins: flag, then ``LLM_AUDIT_*``, then file, then default.

The file is ``llm-audit.toml``, or ``[tool.llm-audit]`` in ``pyproject.toml``, found by searching upwards from the
working folder. Unknown keys are errors, so that a misspelled setting is never silently ignored.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from llm_audit.errors import UsageError
from llm_audit.suggestions import did_you_mean
from llm_audit.toml_reader import TomlTable, out_of_range, parse_toml
from llm_audit.vocabulary import PLANS, BillingBasis

ENV_PREFIX = "LLM_AUDIT_"
FILE_NAME = "llm-audit.toml"
PROJECT_FILE_NAME = "pyproject.toml"
_NO_EFFECT_ON_RESULTS = {
    "jobs",
    "engine",
    "workspace",
    "ledger",
    "overlap_hours",
    "cache",
    "fail_on",
    "budgets",
    "min_samples",
    "min_change_usd",
    "inconclusive",
    "currency",
    "pseudonym_key",
}
SECRETS = {"pseudonym_key"}
"""Settings that are never shown."""
_KEYS_WITH_EQUALS = {"billing", "budgets"}
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


BILLED_BY = ("team", "format", "provider")
"""What a key of ``billing`` names; of those that match a request the first in this order counts."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A basis of billing with the price of its plan."""

    basis: BillingBasis
    usd_per_month: Annotated[float, msgspec.Meta(gt=0, le=1e9)]  # of all seats


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting, with its default. Names are those of the file's keys and, in capitals, of the variables."""

    policy: str = "small-by-default"  # a preset's name or a TOML file
    prices: list[str] = []  # price files, later ones override
    aliases: dict[str, str] = {}  # deployment, profile or house name to a model the price table knows
    log_format: str | None = None  # read every input as this format
    date_order: Literal["dmy", "mdy", "ymd"] | None = None  # of dates such as 01/09/2026
    key_date: str | None = None  # where names state a date, such as %Y/%m/%d
    mapping: dict[str, str] = {}  # ledger field to JSON path, for logs of no known format
    calibration: str | None = None  # a file that `llm-audit calibrate` wrote
    timezone: str = "UTC"  # for days
    sampling_rate: float = 1.0  # share of all requests that the logs hold; 1 in 400 is 0.0025
    currency: str = "USD"  # for display: USD, or a code and what one dollar is in it, such as "EUR=0.92"
    group_by: list[str] = []  # further groupings: columns of the ledger
    confidence: float = 0.9  # of the interval on the expected flagship tax
    resamples: int = 1000  # bootstrap resamplings
    max_rejected_share: float = 0.2  # of the records read; above it the audit is incomplete
    max_unpriced_share: float = 0.5  # of the audited requests; above it the audit is incomplete
    fail_on: list[str] = []  # gate rules of `llm-audit check`, such as "cost_per_request:+10%"
    budgets: dict[str, str] = {}  # "team=search", "user=ann" or "tag:customer=acme" to dollars, such as "500USD/day"
    billing: dict[str, BillingBasis | Plan] = {}  # "team=…", "format=…" or "provider=…" to the way it is paid for
    min_samples: int = 30  # requests a gate rule about change needs on each side
    min_change_usd: float = 1.0  # a relative gate rule needs at least this change in the bill
    inconclusive: Literal["pass", "warn", "fail"] = "warn"  # what a gate rule is where too few requests can tell
    strict: bool = False  # any rejected record or unpriced request makes the audit incomplete
    pseudonymize: list[str] = []  # columns of names that pseudonyms replace: user, team, app, environment, tags
    pseudonym_key: str | None = None  # the secret that pseudonyms are made with; best given as a variable
    jobs: int = 0  # processes for ingest; 0 is one a core
    engine: str = "local"  # what runs the work: local, dask or dask://host:port
    workspace: str | None = None  # folder that all processes reach and an interrupted run goes on from
    ledger: str | None = None  # the folder of the ledger that `analyze --update` keeps up to date
    overlap_hours: float = 6.0  # before a database table's newest row, within which `analyze --update` reads rows again
    cache: bool = True  # keep ledger parts of unchanged logs

    @property
    def fingerprint(self) -> str:
        """Return a hash of the settings that can change a result, which leaves out processes, cache and gates."""
        values = {name: getattr(self, name) for name in self.__struct_fields__ if name not in _NO_EFFECT_ON_RESULTS}
        return hashlib.sha256(msgspec.json.encode(values, order="deterministic")).hexdigest()[:16]


class Settings(msgspec.Struct, frozen=True):
    """A resolved configuration, with the origin of the value of each key."""

    config: Config
    origins: Mapping[str, str]
    file: Path | None


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Resolve every setting.

    Args:
        flags: Values given on the command line; ``None`` values are not given.
        file: The configuration file; searched for upwards from ``folder`` where not given.
        environ: The environment, ``os.environ`` by default.
        folder: Where the search starts, the working folder by default.

    Raises:
        UsageError: The file cannot be read, or a key or value is not valid.
    """
    environ = os.environ if environ is None else environ
    path = file or _discover(folder)
    values: dict[str, Any] = _file_values(path) if path else {}
    origins = dict.fromkeys(Config.__struct_fields__, "default") | dict.fromkeys(values, str(path))
    for name in Config.__struct_fields__:
        variable = ENV_PREFIX + name.upper()
        if variable in environ:
            values[name] = _from_text(name, environ[variable], variable)
            origins[name] = variable
    for name, value in (flags or {}).items():
        if value is not None:
            values[name] = value
            origins[name] = "flag"
    return Settings(config=_convert(values, origins), origins=origins, file=path)


def schema() -> dict[str, Any]:
    """Return the JSON schema of the configuration file."""
    return msgspec.json.schema(Config)


def _discover(start: Path | None) -> Path | None:
    """Return the nearest configuration file upwards from a folder, the working folder by default."""
    try:
        folder = start or Path.cwd()
    except FileNotFoundError:  # it was deleted
        return None
    for parent in (folder, *folder.parents):
        own = parent / FILE_NAME
        if own.is_file():
            return own
        project = parent / PROJECT_FILE_NAME
        if project.is_file() and "llm-audit" in _read(project).table("tool"):
            return project
    return None


def _file_values(path: Path) -> dict[str, Any]:
    """Return a file's settings, each checked for its type."""
    table = _read(path)
    if path.name == PROJECT_FILE_NAME:
        table = table.table("tool").table("llm-audit")
    table.check_keys(Config.__struct_fields__)
    for field in msgspec.structs.fields(Config):
        if field.name in table:
            try:
                msgspec.convert(table.values[field.name], field.type)
            except msgspec.ValidationError as error:
                table.fail(field.name, f"{field.name} is not valid: {error}.")
    billing = table.table("billing")
    for key, value in billing.values.items():
        if (mistake := _billing_mistake(key, msgspec.convert(value, BillingBasis | Plan))) is not None:
            billing.fail(key, mistake)
    return dict(table.values)


def _read(path: Path) -> TomlTable:
    try:
        return parse_toml(path.read_bytes(), file=str(path))
    except OSError as error:
        raise UsageError(
            f"Cannot read the configuration {path}: {error.strerror}. Give another with --config."
        ) from None


def _from_text(name: str, text: str, where: str) -> Any:
    kind = Config.__annotations__[name]
    if kind.startswith("list"):
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind.startswith("dict"):
        parts = (part for part in text.split(",") if part.strip())
        pairs = (part.rpartition("=") if name in _KEYS_WITH_EQUALS else part.partition("=") for part in parts)
        return {key.strip(): value.strip() for key, _, value in pairs}
    if kind == "bool":
        word = text.strip().lower()
        if word not in _TRUE | _FALSE:
            raise UsageError(f"{where} is {text!r}; give true or false.")
        return word in _TRUE
    if kind in {"int", "float"}:
        try:
            return int(text) if kind == "int" else float(text)
        except ValueError:
            raise UsageError(f"{where} is {text!r}; give a number.") from None
    return text


def _convert(values: dict[str, Any], origins: Mapping[str, str]) -> Config:
    try:
        config = msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`").split("[")[0]
        where = origins.get(name, "the configuration")
        raise UsageError(f"{name or 'A setting'} (from {where}) is not valid: {message}.") from None
    for key, value in config.billing.items():
        if (mistake := _billing_mistake(key, value)) is not None:
            raise UsageError(f"billing (from {origins['billing']}): {mistake}")
    for name, low, high in (
        ("sampling_rate", 1e-9, 1),
        ("confidence", 0.5, 0.999),
        ("resamples", 10, 100_000),
        ("max_rejected_share", 0, 1),
        ("max_unpriced_share", 0, 1),
        ("jobs", 0, 1024),
        ("overlap_hours", 0, 100_000),
        ("min_samples", 0, 10**9),
        ("min_change_usd", 0, 10**9),
    ):
        value = getattr(config, name)
        if not low <= value <= high:
            raise UsageError(f"{name} (from {origins[name]}) {out_of_range(value, low, high)}")
    return config


def _billing_mistake(key: str, value: BillingBasis | Plan) -> str | None:
    """Return what is wrong with a declared basis of billing."""
    column, _, name = key.partition("=")
    if column not in BILLED_BY or not name:
        hint = did_you_mean(column, BILLED_BY)
        return f'{key!r} names no requests.{hint} Write "format=claude-code", "team=NAME" or "provider=NAME".'
    if isinstance(value, Plan) and value.basis not in PLANS:
        return (
            f"{key} = {value.basis.value} has no price a month. Give usd_per_month with {' or '.join(PLANS)}, or leave "
            "it out."
        )
    return None
