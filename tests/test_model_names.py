import pytest

from llm_audit.catalog.aliases import Aliases
from llm_audit.model_names import canonical, names_in_rules, parse, provider_id


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4-0613", "gpt-4"),
        ("gpt-4-1106-preview", "gpt-4-turbo"),
        ("gpt-3.5-turbo-16k-0613", "gpt-3.5-turbo-16k"),
        ("gpt-35-turbo", "gpt-3.5-turbo"),
        ("o1-preview-2024-09-12", "o1-preview"),
        ("o3-mini-2025-01-31", "o3-mini"),
        ("gpt-5-4-mini-2026-03-17", "gpt-5.4-mini"),
        ("ft:gpt-4o-mini-2024-07-18:acme::x1", "gpt-4o-mini"),
        ("claude-3-5-sonnet-20241022", "claude-3-5-sonnet"),
        ("claude-3.5-sonnet", "claude-3-5-sonnet"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("claude-4-opus", "claude-opus-4"),
        ("claude-opus-4-20250514", "claude-opus-4"),
        ("claude-opus-4-1-20250805", "claude-opus-4-1"),
        ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
        ("anthropic.claude-v2:1", "claude-2"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
        ("bedrock/us-east-1/anthropic.claude-instant-v1", "claude-instant"),
        ("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0", "nova-lite"),
        ("models/gemini-1.5-flash-8b-001", "gemini-1.5-flash-8b"),
        ("gemini-2.5-flash-preview-05-20", "gemini-2.5-flash"),
        ("publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("vertex_ai/claude-3-5-sonnet@20240620", "claude-3-5-sonnet"),
        ("meta.llama3-3-70b-instruct-v1:0", "llama-3.3-70b-instruct"),
        ("llama-3.3-70b-versatile", "llama-3.3-70b-instruct"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", "llama-3.1-8b-instruct"),
        ("accounts/fireworks/models/llama-v3p1-8b-instruct", "llama-3.1-8b-instruct"),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama-4-scout"),
        ("microsoft/Phi-4", "phi-4"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b-instruct"),
        ("mistral-large-2411", "mistral-large-2411"),
        ("deepseek.r1-v1:0", "deepseek-r1"),
        ("openrouter/anthropic/claude-3.5-haiku", "claude-3-5-haiku"),
    ],
)
def test_every_spelling_of_a_model_has_one_line(name, line):
    assert canonical(name) == line
    assert canonical(line) == line


@pytest.mark.parametrize(
    ("provider", "model", "owner", "own_name", "region"),
    [
        (None, "gpt-4o", "openai", "gpt-4o", None),
        ("Azure-OpenAI", "gpt-4o", "azure", "gpt-4o", None),
        ("litellm", "azure/eu/gpt-4o", "azure", "gpt-4o", "eu"),
        (None, "bedrock/us-east-1/anthropic.claude-v2", "aws", "anthropic.claude-v2", "us-east-1"),
        (None, "bedrock/converse/us.amazon.nova-pro-v1:0", "aws", "us.amazon.nova-pro-v1:0", None),
        (None, "eu.anthropic.claude-sonnet-4-20250514-v1:0", "aws", "eu.anthropic.claude-sonnet-4-20250514-v1:0", None),
        ("groq", "openai/gpt-oss-120b", "groq", "openai/gpt-oss-120b", None),
        (None, "groq/openai/gpt-oss-120b", "groq", "openai/gpt-oss-120b", None),
        ("openrouter", "anthropic/claude-3.5-haiku", "openrouter", "anthropic/claude-3.5-haiku", None),
        ("perplexity", "perplexity/sonar", "perplexity", "perplexity/sonar", None),
        ("gcp.vertex_ai", "gemini-2.5-pro", "google", "gemini-2.5-pro", None),
        (None, "projects/p/locations/europe-west4/publishers/google/models/gemini-2.5-pro", "google", "gemini-2.5-pro",
         "europe-west4"),
        (None, "llama-3.1-70b-instruct", None, "llama-3.1-70b-instruct", None),
        (None, "mixtral-8x7b-instruct", None, "mixtral-8x7b-instruct", None),
        (None, "phi-4", "azure", "phi-4", None),
        ("ollama", "llama3", "ollama", "llama3", None),
    ],
)  # fmt: skip
def test_prefixes_say_who_served_a_call_and_bare_open_models_do_not(provider, model, owner, own_name, region):
    assert parse(provider, model) == (owner, own_name, region)


def test_fine_tunes_and_variants_are_known_by_their_own_name_only():
    assert names_in_rules("gpt-4o-2024-08-06") == ("gpt-4o-2024-08-06", "gpt-4o")
    assert names_in_rules("ft:gpt-4o-2024-08-06:acme") == ("ft:gpt-4o-2024-08-06:acme",)
    assert names_in_rules("qwen3-8b:free") == ("qwen3-8b:free",)
    assert names_in_rules("us.amazon.nova-pro-v1:0")[-1] == "nova-pro"


def test_a_gateway_names_no_provider():
    assert provider_id("litellm_proxy") is None
    assert provider_id("") is None
    assert provider_id(None) is None


def test_an_exact_alias_wins_over_a_pattern_and_one_with_its_provider_over_both():
    aliases = Aliases({"chat-*": "gpt-4o-mini", "chat-a": "gpt-4o", "azure/chat-a": "o3"})
    assert aliases.target(None, "CHAT-A") == "gpt-4o"
    assert aliases.target("Azure", "chat-a") == "o3"
    assert aliases.target("azure", "chat-b") == "gpt-4o-mini"
    assert aliases.target("azure", "other") is None
