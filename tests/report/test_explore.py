"""The page with the script: what it is given, and what it does in a real browser."""

import base64
import hashlib
import json
import re
from decimal import Decimal
from pathlib import Path

import msgspec
import polars as pl
import pytest
from tests.report import build, hostile
from tests.report.frames import frames
from tests.report.test_browser import SHOW, axe, browse, scripted

from llm_audit.report.formats import explore
from llm_audit.report.interface import Frames
from llm_audit.report.registry import by_suffix, render

CALLS = build.calls(7)
DRIVE = f"""
const seen = {{}};
const cells = () => [...document.querySelectorAll('#explored tr')].map(r => [...r.children].map(c => c.textContent));
const look = name => {{ seen[name] = cells(); seen[name + ' total'] = document.getElementById('sums').textContent; }};
const buttons = () => [...document.querySelectorAll('#explorer button')];
const click = text => buttons().find(button => button.textContent.startsWith(text)).click();
look('teams');
click('Requests'); look('by requests');
click('Requests'); look('fewest first');
const filter = document.getElementById('filter');
filter.value = 'LEG'; filter.dispatchEvent(new Event('input')); look('filtered');
click('legal'); look('apps');
click('contracts'); look('models');
click('gemini-2.5-pro'); look('templates');
seen.crumbs = [...document.querySelectorAll('.crumbs li')].map(e => e.textContent);
click('all teams'); look('back');
{SHOW} = btoa(unescape(encodeURIComponent(JSON.stringify(seen))));
"""


@pytest.fixture(scope="module")
def page() -> str:
    return render(build.rich(7), "explore", frames=frames(CALLS)).decode()


def embedded(page: str, name: str) -> list[dict]:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page)
    assert found
    return json.loads(found[1])


def test_the_rows_add_up_to_the_requests_and_their_cost(page: str) -> None:
    rows = embedded(page, "cube")
    assert sum(row["requests"] for row in rows) == len(CALLS) + 1
    assert sum(row["moved"] for row in rows) == sum(call.outcome == "moved" for call in CALLS) + (
        CALLS[0].outcome == "moved"  # the request without a price is a copy of the first
    )
    paid = sum(call.cost for call in CALLS) / build.DOLLAR
    assert sum(row["cost"] or 0 for row in rows) == pytest.approx(paid)
    assert [row["cost"] for row in rows if row["path"][2] == "acme-ft-7b"] == [None], "unknown, not zero"


def test_the_policy_allows_one_script_by_its_hash_and_no_network(page: str) -> None:
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert len(scripts) == 1
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert "default-src 'none'" in policy[1]
    assert re.findall(r"script-src ([^;]*)", policy[1]) == [f"'sha256-{digest}'"]
    assert not re.search(r"fetch\(|XMLHttpRequest|https?://|import\(|eval\(", scripts[0])
    assert by_suffix("audit.explore.html").name == "explore"


def test_without_the_script_it_is_the_report(page: str) -> None:
    report = render(build.rich(7), "html").decode()
    main = re.search(r"<main>.*</main>", report, re.DOTALL)
    section = re.search(r'<section id="explore"[^>]* hidden>.*?</section>\n', page, re.DOTALL)
    assert main
    assert section
    assert main[0] in page.replace(section[0], "")


def test_in_a_browser_the_script_runs_under_the_policy_and_says_nothing(tmp_path: Path, page: str) -> None:
    dom, console = browse(tmp_path, page, "--dump-dom")
    assert console == []
    assert '<section id="explore" class="screen" aria-labelledby="h-explore">' in dom, "no longer hidden"
    assert '<tbody id="explored"><tr><th scope="row"><button type="button">' in dom


def test_sort_filter_and_drill_down_to_a_template(tmp_path: Path, page: str) -> None:
    dom, console = browse(tmp_path, scripted(page, DRIVE), "--dump-dom")
    result = re.search(r'<pre id="result">([^<]+)</pre>', dom)
    assert result, console
    seen = json.loads(base64.b64decode(result[1]))
    document = build.rich(7)
    teams = [row.name for row in document.groups["team"]]
    assert [row[0] for row in seen["teams"]] == teams, "most cost first"
    counts = [int(row[1].replace(",", "")) for row in seen["by requests"]]
    assert counts == sorted(counts, reverse=True)
    assert seen["fewest first"] == seen["by requests"][::-1]
    assert [row[0] for row in seen["filtered"]] == ["legal"]
    assert [row[0] for row in seen["apps"]] == ["contracts"]
    models = {call.model for call in CALLS if call.team == "legal"}
    assert {row[0] for row in seen["models"]} == models
    assert seen["crumbs"] == ["all teams", "legal", "contracts", "gemini-2.5-pro"]
    assert [row[0] for row in seen["templates"]] == ["(none)"]
    assert len(seen["back"]) == len(teams)
    paid = f"${Decimal(document.cost.actual):,.2f}"
    assert paid in seen["teams total"], "the total of the page"


def test_axe_finds_no_violation_with_the_script(tmp_path: Path, page: str) -> None:
    assert axe(tmp_path, page)["found"] == []


def test_names_cannot_leave_the_data(tmp_path: Path) -> None:
    page = render(hostile.cycled(), "explore", frames=hostile.rows()).decode()
    assert len(re.findall(r"<script", page)) == 3
    _, console = browse(tmp_path, page, "--dump-dom")
    assert console == []


def test_many_rows_are_added_up_and_the_page_stays_small() -> None:
    requests = frames(CALLS[:1]).requests[:1]
    many = pl.concat([requests] * 20_000).with_columns(
        app=pl.concat_str(pl.lit("app with a rather long name "), pl.int_range(20_000).cast(pl.String)),
        cost_pico=pl.int_range(20_000).cast(pl.Int64),
    )
    page = render(build.rich(2), "explore", frames=Frames(make=lambda: many))
    rows = embedded(page.decode(), "cube")
    assert len(page) < 3_000_000
    assert sum(row["requests"] for row in rows) == 20_000
    assert rows[-1]["path"] == ["(others)"] * 4
    total = sum(range(20_000))
    assert sum(round(row["cost"] * 10**12) for row in rows) == pytest.approx(total)


def test_amounts_are_in_the_currency_of_the_report() -> None:
    document = build.rich(2)
    cost = msgspec.structs.replace(document.cost, actual="10.00")
    euros = msgspec.structs.replace(document, currency="EUR", cost=cost)
    page = explore.render(euros, frames=frames(build.calls(2))).decode()
    assert sum(row["cost"] or 0 for row in embedded(page, "cube")) == pytest.approx(10)
    assert '"symbol":"\\u20ac"' in page
