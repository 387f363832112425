"""Generate business documents, and the tool calls that extract them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from traffic.text import Slots, load

DATA = load("documents")


@dataclass(frozen=True, slots=True)
class Document:
    """A document, the tool that takes its content, and the arguments of that call."""

    kind: str
    text: str
    found: dict[str, Any]

    @property
    def tool(self) -> str:
        """The name of the tool."""
        return f"record_{self.kind}"


def tool_schema(kind: str) -> dict[str, Any]:
    """Return the definition of the tool for one kind of document."""
    nullable = {"type": ["string", "null"]}
    line = {
        "type": "object",
        "properties": {"description": {"type": "string"}, "quantity": nullable, "unit": nullable, "amount": nullable},
        "required": ["description", "amount"],
    }
    fields = ["number", "issuer", "recipient", "date", "currency", "total", "tax", "payment_terms", "language"]
    properties: dict[str, Any] = dict.fromkeys(fields, nullable)
    properties |= {"lines": {"type": "array", "items": line}, "confidence": {"type": "number"}, "remarks": nullable}
    return {
        "name": f"record_{kind}",
        "description": f"Record what the {kind} says. Values that are not printed are null.",
        "input_schema": {"type": "object", "properties": properties, "required": list(properties)},
    }


def make(rand: random.Random, kind: str) -> Document:
    """Return an invoice, receipt, order or contract."""
    slots = Slots(rand, DATA["slots"])
    if kind == "contract":
        return _contract(rand, slots)
    rows = [_row(rand) for _ in range(rand.randint(1, 4) if kind == "receipt" else rand.randint(2, 14))]
    net = sum(row[3] for row in rows)
    tax = round(net * slots["rate"] / 100)
    slots |= {"subtotal": _money(net), "tax": _money(tax), "total": _money(net + tax)}
    slots["lines"] = "\n".join(
        f"{position:<4} {goods:<36} {count:>4} {_money(price):>12} {_money(amount):>12}"
        for position, (goods, count, price, amount) in enumerate(rows, start=1)
    )
    lines = [
        {"description": goods, "quantity": str(count), "unit": "pcs", "amount": _money(amount)}
        for goods, count, _, amount in rows
    ]
    text = slots.fill(DATA[kind])
    return Document(kind, text, {**_header(slots), "total": slots["total"], "tax": slots["tax"], "lines": lines})


def _contract(rand: random.Random, slots: Slots) -> Document:
    kept = [clause for clause in DATA["clauses"] if rand.random() < 0.8]
    numbered = enumerate((DATA["clauses"][0], *kept, *rand.sample(kept, 3)), start=1)
    terms = {"total": _money(rand.randint(40_000, 900_000)), "subtotal": _money(rand.randint(5, 90) * 1_000_000)}
    clauses = [Slots(rand, DATA["slots"], n=n, **terms).fill(clause) for n, clause in numbered]
    slots["clauses"] = "\n\n".join(clauses)
    quoted = [{"description": clause[:160], "amount": None} for clause in clauses[:9]]
    return Document("contract", slots.fill(DATA["contract"]), {**_header(slots), "lines": quoted})


def _header(slots: Slots) -> dict[str, Any]:
    return {
        "number": slots["number"],
        "issuer": slots["company"],
        "recipient": slots["company2"],
        "date": "2026-08-" + slots["date"][:2],
        "currency": slots["currency"],
        "confidence": 0.93,
        "language": "en",
    }


def _row(rand: random.Random) -> tuple[str, int, int, int]:
    count, price = rand.randint(1, 60), rand.randint(150, 24_000)
    return rand.choice(DATA["slots"]["goods"]), count, price, count * price


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
