"""What the reports' words mean, for readers who meet them first here."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "request": "One call to a model by a provider, after repeats of it in the logs are merged.",
    "actual cost": "What was paid: the tokens of each request at the price in force on its day.",
    "flagship tax": "Actual cost less what the policy would have cost. Negative where the policy would have cost more.",
    "ceiling": "The flagship tax if the smaller model used the very same tokens: the most it could be.",
    "expected": "The flagship tax with what a switch costs: prompt caches, escalations, output length and steps.",
    "floor": "The flagship tax with every assumption at its pessimistic end.",
    "interval": "Where the expected tax would fall had other conversations of the same kind been logged.",
    "covered": "The share of spend whose requests could be judged and routed, whether the policy moved them or not.",
    "policy": "The models in order of size, the target, the gates and the assumptions that routes follow from.",
    "P(suffices)": "The probability that a model does not lose a success that the model in use had.",
    "target": "The P(suffices) at which the policy sends a request to a smaller model.",
    "gate": "A need, such as vision or a long context, that keeps a request from a model not known to meet it.",
    "abstained": "Not judged for want of signal, such as redacted text. The request keeps its model.",
    "tier": "Small, mid or frontier: how large a model is within its family.",
    "model mix": "The share of requests, tokens and cost by model and tier.",
    "Herfindahl index": "How concentrated a mix is: the sum of the squared shares. 1 is a single model for everything.",
    "waste": "Cost beside routing, such as failed or repeated requests. It is not part of the flagship tax.",
    "unpriced": "Without a known price. Such requests are counted and are in no amount.",
}
