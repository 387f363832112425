import hashlib
import hmac
import json
from pathlib import Path

import pytest
from tests.cli.conftest import write_log

from llm_audit import api
from llm_audit.audit.pseudonyms import FIELDS, pseudonymize
from llm_audit.cli import run
from llm_audit.config import Config
from llm_audit.errors import UsageError
from llm_audit.ledger import Ledger

KEY = "a key of more than sixteen characters"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    log = write_log(tmp_path / "log.jsonl", requests=6)
    rows = [json.loads(text) for text in log.read_text().splitlines()]
    for number, row in enumerate(rows):
        row["user"] = f"person{number % 2}@example.com"
        row["metadata"] |= {"user_email": f"person{number % 2}@example.com", "stage": "blue"}
        row["tags"] = ["user=person@example.com", "stage=blue", "bare"]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return api.open_ledger([log], config=Config(cache=False, jobs=1))


def expected(field: str, name: str) -> str:
    text = f"{field}\0{name}".encode()
    return f"{field}-{hmac.new(KEY.encode(), text, hashlib.sha256).hexdigest()[:16]}"


def test_equal_names_stay_equal_and_nothing_else_changes(ledger: Ledger) -> None:
    before, after = ledger.frame, pseudonymize(ledger, ["user", "team"], KEY).frame
    assert after["user"].cast(str).to_list() == [expected("user", name) for name in before["user"].cast(str)]
    assert set(after["team"].cast(str)) == {expected("team", "search")}
    assert "example.com" not in str(after.to_dicts())
    assert after.schema == before.schema
    assert after.drop("user", "team", "tags").equals(before.drop("user", "team", "tags"))


def test_tags_of_the_field_s_name_go_with_it_and_all_on_request(ledger: Ledger) -> None:
    some = pseudonymize(ledger, ["user"], KEY).frame["tags"].cast(str)[0]
    assert "stage=blue" in some
    assert "example" not in some
    every = pseudonymize(ledger, ["tags"], KEY).frame["tags"].cast(str)[0]
    assert "blue" not in every
    assert f"stage={expected('stage', 'blue')}" in every


def test_totals_are_unchanged_and_the_key_is_in_no_document(ledger: Ledger) -> None:
    plain = api.audit_ledger(ledger, config=Config()).document
    shared = api.audit_ledger(pseudonymize(ledger, list(FIELDS), KEY), config=Config()).document
    assert (shared.cost, shared.tokens, shared.flagship_tax.expected.amount) == (
        plain.cost, plain.tokens, plain.flagship_tax.expected.amount,
    )  # fmt: skip
    assert [(row.requests, row.cost) for row in shared.groups["team"]] == [
        (row.requests, row.cost) for row in plain.groups["team"]
    ]
    assert shared.fingerprints.config == plain.fingerprints.config


@pytest.mark.parametrize(
    ("fields", "key", "message"),
    [
        (["usr"], KEY, "Did you mean 'user'"),
        (["model"], KEY, "cannot be pseudonymized"),
        (["user"], None, "LLM_AUDIT_PSEUDONYM_KEY"),
        (["user"], "short", "at least 16 characters"),
    ],
)
def test_what_cannot_be_done_is_an_error(ledger: Ledger, fields: list[str], key: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        pseudonymize(ledger, fields, key)
    assert "short" not in str(caught.value)


def test_the_command_line_shares_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLM_AUDIT_CACHE_DIR", str(tmp_path / "cache"))
    write_log(tmp_path / "log.jsonl")
    asked = ["analyze", "log.jsonl", "--pseudonymize", "team", "-o", "a.json", "--save-ledger", "kept", "-q"]
    assert run(asked) == 2
    assert "Set the variable LLM_AUDIT_PSEUDONYM_KEY" in capsys.readouterr().err
    monkeypatch.setenv("LLM_AUDIT_PSEUDONYM_KEY", KEY)
    assert run(asked) == 0
    team = expected("team", "search")
    assert team in (tmp_path / "a.json").read_text()
    assert '"search"' not in (tmp_path / "a.json").read_text()
    assert api.read_ledger(tmp_path / "kept").frame["team"].cast(str).unique().to_list() == [team]
    assert run(["config", "show"]) == 0
    printed = capsys.readouterr().out
    assert "(secret)" in printed
    assert KEY not in printed
    assert KEY not in (tmp_path / "a.json").read_text()
