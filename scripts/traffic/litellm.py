"""LiteLLM's StandardLoggingPayload: one object a call, whatever the provider behind the gateway."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from traffic import openai
from traffic.text import identifier, uuid
from traffic.usage import Usage

REDACTED = "redacted-by-litellm"
CACHE_MS = 4  # how long the gateway takes to answer by itself
_ERRORS = {
    429: ("RateLimitError", "litellm.RateLimitError: Rate limit reached for requests"),
    500: ("InternalServerError", "litellm.InternalServerError: The server had an error"),
    408: ("Timeout", "litellm.Timeout: APITimeoutError - Request timed out."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The sender of a call through the gateway."""

    team: str
    app: str
    user: str
    tags: list[str] = field(default_factory=list)


def success(
    rand: random.Random,
    caller: Caller,
    *,
    group: str,
    provider: str,
    messages: list[dict[str, Any]],
    said: str,
    parameters: dict[str, Any],
    usage: Usage,
    cost_usd: float | None,
    at: int,
    latency_ms: int,
    trace: str,
) -> dict[str, Any]:
    """Return the payload of a successful call."""
    model = served(group)
    body = openai.completion(rand, model, {"content": said}, usage, at)
    if provider == "anthropic":
        body["id"] = identifier(rand, "msg_01")
    record = _base(rand, caller, group=group, provider=provider, at=at, latency_ms=latency_ms, trace=trace)
    record["metadata"]["usage_object"] = usage.openai()
    return record | {
        "id": body["id"],
        "status": "success",
        "model": model,
        "response_cost": cost_usd,
        "total_tokens": usage.prompt + usage.output,
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "messages": messages,
        "response": body,
        "model_parameters": parameters,
        "error_str": None,
        "error_information": {"error_code": "", "error_class": "", "llm_provider": "", "error_message": ""},
    }


def failure(
    rand: random.Random,
    caller: Caller,
    *,
    group: str,
    provider: str,
    messages: list[dict[str, Any]],
    status: int,
    at: int,
    latency_ms: int,
    trace: str,
) -> dict[str, Any]:
    """Return the payload of a call that failed: no tokens, no cost."""
    name, text = _ERRORS[status]
    record = _base(rand, caller, group=group, provider=provider, at=at, latency_ms=latency_ms, trace=trace)
    return record | {
        "status": "failure",
        "model": group,
        "response_cost": 0.0,
        "total_tokens": 0,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "messages": messages,
        "response": {},
        "model_parameters": {},
        "error_str": text,
        "error_information": {
            "error_code": str(status),
            "error_class": name,
            "llm_provider": provider,
            "error_message": text,
        },
    }


def cache_hit(rand: random.Random, payload: dict[str, Any], at: int) -> dict[str, Any]:
    """Return the payload of the same call, answered from the gateway's own cache."""
    return payload | {
        "id": payload["id"] + "_cache_hit" + uuid(rand)[:13],
        "litellm_call_id": uuid(rand),
        "cache_hit": True,
        "startTime": at / 1000,
        "endTime": (at + CACHE_MS) / 1000,
        "completionStartTime": (at + CACHE_MS) / 1000,
        "response_time": CACHE_MS / 1000,
        "saved_cache_cost": payload["response_cost"],
        "response_cost": 0.0,
    }


def redact(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload as it is with message logging turned off."""
    response = payload["response"]
    choice = {**response["choices"][0], "message": {"role": "assistant", "content": REDACTED}}
    return payload | {
        "messages": [{"role": "user", "content": REDACTED}],
        "response": {**response, "choices": [choice]},
    }


def served(group: str) -> str:
    """Return the dated model behind a model group."""
    return "claude-sonnet-4-5-20250929" if group == "claude-sonnet-4-5" else openai.served(group)


def _base(
    rand: random.Random, caller: Caller, *, group: str, provider: str, at: int, latency_ms: int, trace: str
) -> dict[str, Any]:
    call_id = uuid(rand)
    return {
        "id": call_id,
        "litellm_call_id": call_id,
        "trace_id": trace,
        "call_type": "acompletion",
        "cache_hit": None,
        "stream": False,
        "custom_llm_provider": provider,
        "saved_cache_cost": 0.0,
        "startTime": at / 1000,
        "endTime": (at + latency_ms) / 1000,
        "completionStartTime": (at + latency_ms) / 1000,
        "response_time": latency_ms / 1000,
        "metadata": {
            "user_api_key_hash": f"{rand.getrandbits(64):016x}",
            "user_api_key_alias": f"{caller.app}-prod",
            "user_api_key_team_id": f"team-{caller.team}",
            "user_api_key_org_id": None,
            "user_api_key_user_id": None,
            "user_api_key_team_alias": caller.team,
            "spend_logs_metadata": None,
            "requester_metadata": {"app": caller.app, "environment": "production"},
            "applied_guardrails": [],
        },
        "cache_key": None,
        "request_tags": caller.tags,
        "end_user": caller.user,
        "api_base": "",
        "model_group": group,
        "model_id": None,
        "requester_ip_address": None,
        "hidden_params": {"model_id": None, "cache_key": None, "litellm_overhead_time_ms": None},
    }
