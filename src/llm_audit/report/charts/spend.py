"""Charts of spend by model and by team."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import partial

import altair as alt

from llm_audit.document.audit import Document
from llm_audit.report.charts.svg import LIGHT, Figure, Room, chart, colours, draw, fitted, label, room_for, text_width
from llm_audit.report.names import model_names
from llm_audit.report.text import NONE, money, share
from llm_audit.vocabulary import TIERS

_MODELS = 10
_TEAMS = 10
_COLUMNS = 7
_FEW_COLUMNS = 3


def models(document: Document) -> Figure | None:
    """Each model's share of cost, largest first."""
    return fitted(partial(_models, document)) if any(m.cost_share for m in document.model_mix) else None


def _models(document: Document, room: Room) -> Figure:
    priced = [m for m in document.model_mix if m.cost_share]
    names = model_names(document)
    rows = [
        {
            "model": label(names[m.provider, m.model], 44),
            "key": index,
            "share": m.cost_share,
            "tier": m.tier if m.tier in TIERS else "unknown",
            "text": f"{money(m.cost, currency=document.currency)}  {share(m.cost_share)}",
        }
        for index, m in enumerate(priced[:_MODELS])
    ]
    tiers = tuple(tier for tier in TIERS if any(row["tier"] == tier for row in rows))
    width = room.width if room.narrow else room.width - text_width(str(row["model"]) for row in rows)
    longest = width - text_width(str(row["text"]) for row in rows)  # room for the text at the longest bar
    scale = alt.Scale(domain=[0, max(0.01, priced[0].cost_share or 0)], range=[0, longest])
    base = chart(rows).encode(y=alt.Y("key:O", title=None, axis=None))
    bars = base.mark_bar(height=12 if room.narrow else 14).encode(
        x=alt.X("share:Q", title=None, axis=None, scale=scale),
        color=alt.Color("tier:N", title=None, scale=colours(tiers)),
    )
    values = base.mark_text(align="left", dx=6).encode(x="share:Q", text="text:N")
    above = base.mark_text(align="left", dy=-15) if room.narrow else base.mark_text(align="right", dx=-8)
    left = above.encode(x=alt.value(0), text="model:N")
    top = priced[0]
    drawn = alt.layer(bars, values, left).properties(width=width, height=(38 if room.narrow else 22) * len(rows))
    return draw(
        room.key("models"),
        drawn if room.narrow else drawn.properties(padding=room_for(str(row["model"]) for row in rows)),
        title=f"{label(names[top.provider, top.model], 60)} alone accounted for {share(top.cost_share)} of "
        f"{_total(document)}",
        description=f"Bars: share of cost of the {len(rows)} models that cost most, coloured by tier.",
    )


def _total(document: Document) -> str:
    """Write the actual cost, for a title."""
    return money(document.cost.actual, currency=document.currency)


def teams(document: Document) -> Figure | None:
    """Cost by team and model as a grid of shaded cells."""
    cells: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in document.spend:
        cells[row.team, row.model] += Decimal(row.cost or 0)
    return fitted(partial(_teams, document, dict(cells))) if any(cells.values()) else None


def _teams(document: Document, cells: dict[tuple[str, str], Decimal], room: Room) -> Figure:
    by_team: dict[str, Decimal] = defaultdict(Decimal)
    by_model: dict[str, Decimal] = defaultdict(Decimal)
    for (team, model), cost in cells.items():
        by_team[team] += cost
        by_model[model] += cost
    rows = sorted(by_team, key=lambda team: (-by_team[team], team))[:_TEAMS]
    ranked = sorted(by_model, key=lambda model: (-by_model[model], model))
    columns = ranked[: _FEW_COLUMNS if room.narrow else _COLUMNS]
    data = [
        {
            "row": rows.index(team),
            "column": columns.index(model),
            "cost": float(cost),
            "text": money(f"{cost:f}", currency=document.currency),
        }
        for (team, model), cost in cells.items()
        if team in rows and model in columns and cost
    ]
    x = alt.X("column:O", axis=None, scale=alt.Scale(domain=list(range(len(columns))), paddingInner=0.06))
    y = alt.Y("row:O", axis=None, scale=alt.Scale(domain=list(range(len(rows))), paddingInner=0.12))
    base = chart(data).encode(x=x, y=y)
    fill = base.mark_rect(color=LIGHT["mid"]).encode(
        opacity=alt.Opacity("cost:Q", scale=alt.Scale(range=[0.08, 0.55]), legend=None)
    )
    amounts = base.mark_text().encode(text="text:N")
    left = [{"row": index, "name": label(team, room.name)} for index, team in enumerate(rows)]
    head = [{"column": index, "name": _lines(model)} for index, model in enumerate(columns)]
    names = chart(left).mark_text(align="right", dx=-10).encode(x=alt.value(0), y=y, text="name:N")
    tops = (
        chart(head)
        .mark_text(color=LIGHT["muted"], fontSize=10, baseline="bottom", lineHeight=12)
        .encode(x=x, y=alt.value(-18), text="name:N")
    )
    (team, model), most = max(cells.items(), key=lambda item: item[1])
    total = Decimal(document.cost.actual or 0)
    part = share(float(most / total)) if total else "none"
    return draw(
        room.key("teams"),
        alt.layer(fill, amounts, names, tops).properties(
            width=room.width - 110, height=34 * len(rows), padding=room_for(str(row["name"]) for row in left)
        ),
        title=f"{label(team)} spent most on {label(model)}: {part} of {_total(document)}",
        description=f"Cost by team and model: the top {len(rows)} teams and {len(columns)} models, darker is more.",
        note=_left_out(document, cells, rows, ranked[:_COLUMNS]),
        narrow_note=f"Of {len(ranked)} models, {len(columns)} are drawn." if len(ranked) > len(columns) else "",
    )


def _left_out(document: Document, cells: dict[tuple[str, str], Decimal], rows: list[str], columns: list[str]) -> str:
    """Say how much spend is of other teams and models than those drawn, and who has no name."""
    rest = sum((cost for (team, model), cost in cells.items() if team not in rows or model not in columns), Decimal(0))
    amount = money(f"{rest:f}", currency=document.currency)
    notes = [f"Another {amount} is of teams and models that cost less."] if rest else []
    if "" in rows:
        notes.append(f"{NONE} is spend whose log names no team.")
    return " ".join(notes)


def _lines(model: str) -> list[str]:
    """Break a model's name into two lines at the hyphen nearest its middle, for a narrow column."""
    name = label(model)
    cuts = [index for index, char in enumerate(name) if char in "-/ _" and index > 0]
    if len(name) <= 12 or not cuts:
        return [name[:14], name[14:]]
    cut = min(cuts, key=lambda index: abs(index - len(name) / 2))
    return [name[: cut + 1], name[cut + 1 :]]
