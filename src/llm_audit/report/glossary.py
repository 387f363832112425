"""Definitions of the terms that reports use; ``docs/glossary.md`` defines every term of the project."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "request": "One call to a model. Duplicates of it in the logs are merged.",
    "actual cost": "The cost of the tokens used, at the list price on the day of each request.",
    "flagship tax": "Actual cost minus the policy's cost. It is negative where the policy would have cost more.",
    "ceiling": "The flagship tax if the smaller model had used the same tokens: the most that it could be.",
    "expected": "The flagship tax including the cost of switching: caches, escalations, output length and extra steps.",
    "floor": "The flagship tax if everything goes wrong together: all assumptions at their pessimistic ends at once.",
    "interval": "The range in which the expected tax lies, at the confidence stated.",
    "run rate": "The spend of a month at the log's own weekly rhythm, with the interval in which it will lie if the "
    "rhythm goes on.",
    "spike": "Days whose spend departs from the log's weekly rhythm, and returns to it.",
    "shift": "A day from which spend stays at another level.",
    "covered": "The share of spend whose requests could be judged and routed, whether the policy moved them or not.",
    "policy": "The models in order of price, the decision, the gates and the assumptions that decide the routes.",
    "route": "The model that the policy assigns to a request.",
    "P(suffices)": "The probability that a model does not fail where the model in use succeeds.",
    "target": "For a policy that decides by P(suffices): the least at which it moves a request to a smaller model.",
    "preference gap": "The share of readers who prefer the model in use, net of those who prefer the route.",
    "quality loss": "The probability that a route loses an answer, beyond that of a second run of the model in use.",
    "lost answers": "Right answers expected to turn wrong by moving, beyond a second run of the model in use.",
    "gained answers": "The same in the other direction, where the route is better than the model in use.",
    "unmeasured models": "Models without published scores or a calibration in the request's category; not in the tax.",
    "stakes": "What a wrong answer could harm: medical, legal, financial, security and destructive asks have some.",
    "gate": "A requirement, such as vision or a long context, that rules out models not known to meet it.",
    "abstained": "Not judged for lack of information, such as redacted text. The request keeps its model.",
    "escalation": "Repeating a request on the model in use because the smaller model's answer failed.",
    "tier": "Small, mid or frontier: the size of a model within its family.",
    "model mix": "The share of each model and tier in requests, tokens and cost.",
    "Herfindahl index": "The concentration of a mix: the sum of the squared shares. 1 means that one model has it all.",
    "waste": "Cost unrelated to routing, such as failed or repeated requests. It is not part of the flagship tax.",
    "unpriced": "Without a known price. Such requests are counted, but are not in any amount.",
}
