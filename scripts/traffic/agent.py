"""Generate a session of a coding agent: asks, steps with tools, and an answer at the end of each ask."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from traffic.text import Slots, load

DATA = load("coding")


@dataclass(frozen=True, slots=True)
class Step:
    """One reply of the model: its text, the tool it calls, and the tool's result; the last one has no tool."""

    said: str
    tool: str = ""
    arguments: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """The developer's ask, and the steps it takes."""

    text: str
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class Session:
    """A repository, how hard the first ask is, and the asks."""

    repo: str
    kind: str
    title: str
    system: str
    asks: list[Ask]


def session(rand: random.Random) -> Session:
    """Return a session: easy asks are common, hard ones take more steps."""
    slots = Slots(rand, DATA["slots"])
    kind = rand.choices(["easy", "medium", "hard"], [58, 29, 13])[0]
    first = slots.fill(rand.choice(DATA[kind]))
    asks = [Ask(first, list(_steps(rand, slots, {"easy": 3, "medium": 6, "hard": 11}[kind])))]
    while rand.random() < 0.4:
        asks.append(Ask(rand.choice(DATA["follow"]), list(_steps(rand, slots, 2))))
    return Session(slots["repo"], kind, slots.fill(rand.choice(DATA["title"])), slots.fill(DATA["system"]), asks)


def _steps(rand: random.Random, slots: Slots, typical: int) -> Iterator[Step]:
    for _ in range(max(1, round(rand.gauss(typical, typical / 3)))):
        tool, arguments, result = rand.choice(DATA["steps"])
        local = Slots(rand, DATA["slots"], **{name: slots[name] for name in ("repo", "name", "name2")})
        said, sent = local.fill(rand.choice(DATA["thoughts"])), local.fill(arguments)
        shown = local.fill(DATA["results"][result])
        if result == "read":
            more = [Slots(rand, DATA["slots"]).fill(DATA["results"]["read"]) for _ in range(rand.randint(1, 9))]
            shown = "\n\n".join([shown, *more])
        yield Step(said, tool, sent, shown)
    yield Step(slots.fill(rand.choice(DATA["done"])))
