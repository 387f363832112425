"""The packaged price table is that of genai-prices, and follows its rules of names and times."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import metadata

import msgspec
import pytest
from genai_prices import data, data_snapshot
from genai_prices.types import TieredPrices
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.pricing.price_table import find_listing, find_provider, source
from llm_audit.pricing.price_table.models import PriceTable

THEIRS = data.providers
OURS = source.providers()
BY_ID = {provider.id: provider for provider in OURS}
PAIRS = [
    (their, model, own) for their in THEIRS for model, own in zip(their.models, BY_ID[their.id].models, strict=True)
]
CONTEXTS = (None, {"processing": "batch"}, {"service_tier": "priority"}, {"service_tier": "fast", "speed": "fast"})
NAMES = sorted({name for provider in THEIRS for model in provider.models for name in (model.id, model.id.upper())})
MOMENTS = st.integers(0, 2_000_000).map(lambda minutes: datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


def as_text(prices: object) -> dict[str, str]:
    values = prices if isinstance(prices, dict) else vars(prices)
    found = {}
    for name, value in values.items():
        if isinstance(value, TieredPrices):
            found[name] = str((value.base, [(tier.start, tier.price) for tier in value.tiers]))
        elif isinstance(value, Decimal):
            found[name] = str(value)
        elif value is not None:
            found[name] = str((value.base, list(value.tiers)))
    return found


def test_the_packaged_table_is_of_the_installed_version_and_up_to_date() -> None:
    data = source.resources.files("llm_audit.pricing.price_table").joinpath(source.FILE).read_bytes()
    packaged = msgspec.json.decode(data, type=PriceTable)
    assert packaged.version == metadata.version("genai-prices")
    assert msgspec.json.encode(packaged) == msgspec.json.encode(source.converted())


def test_another_installed_version_is_read_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source.metadata, "version", lambda _: "9.9.9")
    read = source.providers.__wrapped__()
    assert read is not OURS
    assert msgspec.json.encode(read) == msgspec.json.encode(OURS)


def test_every_model_has_the_prices_of_genai_prices_around_every_change() -> None:
    assert len(PAIRS) > 2_000
    compared = 0
    for _, theirs, own in PAIRS:
        assert own.id == theirs.id
        changes = [
            datetime.combine(dated.condition.since, datetime.min.time(), UTC)
            for dated in (*own.prices, *own.variants)
            if dated.condition is not None and dated.condition.since is not None
        ]
        hours = (datetime(2026, 11, 20, hour, 30, tzinfo=UTC) for hour in range(0, 24, 3))
        around = (change + step for change in changes for step in (-timedelta(seconds=1), timedelta(), timedelta(1)))
        for moment in (*hours, *around) if changes or own.variants else (datetime(2026, 11, 20, tzinfo=UTC),):
            for context in CONTEXTS:
                assert as_text(own.prices_at(moment, context)) == as_text(theirs.get_prices(moment, context))
                compared += 1
    assert compared > 8_000


@settings(deadline=None)  # a busy machine is not an error
@given(pair=st.sampled_from(PAIRS), moment=MOMENTS, context=st.sampled_from(CONTEXTS))
def test_prices_at_any_time_are_those_of_genai_prices(pair, moment: datetime, context) -> None:
    _, theirs, own = pair
    assert as_text(own.prices_at(moment, context)) == as_text(theirs.get_prices(moment, context))


@pytest.mark.parametrize("their", THEIRS, ids=lambda provider: provider.id)
def test_every_provider_finds_its_own_models_by_name(their) -> None:
    own = BY_ID[their.id]
    for model in their.models:
        found, expected = own.find_model(model.id, OURS), their.find_model(model.id, all_providers=THEIRS)
        assert (found and found.id) == (expected and expected.id)


@settings(deadline=None)
@given(
    provider=st.sampled_from(THEIRS),
    name=st.sampled_from(NAMES),
    before=st.sampled_from(["", "x", "us.", "openai/"]),
    after=st.sampled_from(["", "-20251211", "-20251341", "-2025-12-11", ":free", "-v1:0", "@latest"]),
)
def test_names_are_found_as_genai_prices_finds_them(provider, name: str, before: str, after: str) -> None:
    asked = f"{before}{name}{after}"
    found, expected = BY_ID[provider.id].find_model(asked, OURS), provider.find_model(asked, all_providers=THEIRS)
    assert (found and found.id) == (expected and expected.id)


@pytest.mark.parametrize(
    "name", ["openai", " OpenAI ", "gemini", "vertex_ai", "google-vertex", "bedrock", "azure_openai", "nobody", ""]
)
def test_providers_are_found_by_their_other_names(name: str) -> None:
    found, expected = find_provider(name), data_snapshot.find_provider_by_id(THEIRS, name)
    assert (found and found.id) == (expected and expected.id)


def test_a_compact_date_that_is_none_is_left_alone() -> None:
    openai = BY_ID["openai"]
    assert openai.find_model("gpt-4o-20240806", OURS) is openai.find_model("gpt-4o-2024-08-06", OURS)
    assert not re.search("2024", openai.find_model("gpt-4o", OURS).id)
    assert find_listing("openai", "no-such-model-20251341") is None
