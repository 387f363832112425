"""Write mail replies of the app ``support-chat`` through AWS Bedrock, in its model invocation log."""

from __future__ import annotations

import random
from typing import Any

from traffic.clock import arrivals, iso
from traffic.logfile import Call, Line, LogFile
from traffic.support_chat import APP, DATA, TEAM
from traffic.text import Slots, rng, tokens, uuid
from traffic.usage import Usage

MAILS = 150
ACCOUNT, REGION = "111122223333", "us-east-1"
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PRO, LITE = "us.amazon.nova-pro-v1:0", "us.amazon.nova-lite-v1:0"
ROUTER = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:default-prompt-router/amazon.nova:1"
PHOTO_TOKENS = 1300  # about what a photo of a megapixel takes
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
PROFILES = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/"
SYSTEM = (
    "You answer mails to the support of Northwind Outfitters. Formal, at most 150 words, in the language of the mail."
)


def build() -> list[LogFile]:
    """Return one compressed object for each half of the month."""
    rand = rng("bedrock")
    lines = [_line(rand, at) for at in arrivals(rand, MAILS, weekend=0.8)]
    folder = f"support-chat/bedrock/AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/{REGION}/2026/09"
    half = len(lines) // 2
    return [
        LogFile(f"{folder}/01-15_invocations.json.gz", lines[:half]),
        LogFile(f"{folder}/16-30_invocations.json.gz", lines[half:]),
    ]


def _line(rand: random.Random, at: int) -> Line:
    asked = rand.choices([SONNET, PRO, LITE, ROUTER], [50, 20, 15, 15])[0]
    served = rand.choice([PRO, LITE, LITE]) if asked == ROUTER else asked
    slots = Slots(rand, DATA["slots"])
    # A question about a photo: the smallest model could answer it, but cannot look at one.
    photo = PHOTO_TOKENS if "nova-pro" in asked and rand.random() < 0.4 else 0
    text = slots.fill(rand.choice(DATA["photo"])) if photo else _mail(rand, slots)
    content: list[dict[str, Any]] = [{"text": text}]
    if photo:
        content.insert(0, {"image": {"format": "png", "source": {"bytes": PIXEL}}})
    record = _head(asked, at, uuid(rand))
    record["input"] = {
        "inputContentType": "application/json",
        "inputBodyJson": {
            "messages": [{"role": "user", "content": content}],
            "system": [{"text": SYSTEM}],
            "inferenceConfig": {"maxTokens": 600, "temperature": 0.3},
        },
    }
    if rand.random() < 0.03:
        record["errorCode"] = "ThrottlingException"
        return Line(time_ms=at, content=record, call=Call(model=asked, ok=False, team=TEAM, app=APP))
    said = " ".join(["Thank you for your message.", *rand.sample(DATA["replies"]["parts"], rand.randint(2, 6))])
    usage = Usage(input=12 + photo + tokens(SYSTEM) + tokens(text), output=tokens(said))
    record["input"] |= {
        "inputTokenCount": usage.input,
        "cacheReadInputTokenCount": 0,
        "cacheWriteInputTokenCount": 0,
    }
    record["output"] = _output(rand, said, usage, PROFILES + served if asked == ROUTER else None)
    return Line(time_ms=at, content=record, call=Call(model=served, usage=usage, team=TEAM, app=APP))


def _mail(rand: random.Random, slots: Slots) -> str:
    bodies = rand.sample(DATA["open"], 1 + (rand.random() < 0.4))
    return "Dear support team,\n\n" + "\n\n".join(slots.fill(body) for body in bodies) + "\n\nKind regards"


def _head(model: str, at: int, request_id: str) -> dict[str, Any]:
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": iso(at)[:19] + "Z",
        "accountId": ACCOUNT,
        "identity": {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/support-mail/worker"},
        "region": REGION,
        "requestId": request_id,
        "operation": "Converse",
        "modelId": model,
        "requestMetadata": {"team": TEAM, "app": APP},
    }


def _output(rand: random.Random, said: str, usage: Usage, invoked: str | None) -> dict[str, Any]:
    counts = {"inputTokens": usage.input, "outputTokens": usage.output, "totalTokens": usage.input + usage.output}
    body: dict[str, Any] = {
        "output": {"message": {"role": "assistant", "content": [{"text": said}]}},
        "stopReason": "end_turn",
        "metrics": {"latencyMs": 300 + int(usage.output * rand.lognormvariate(2.5, 0.3))},
        "usage": counts,
    }
    if invoked:
        body["trace"] = {"promptRouter": {"invokedModelId": invoked}}
    return {"outputContentType": "application/json", "outputBodyJson": body, "outputTokenCount": usage.output}
