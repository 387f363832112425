import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from llm_audit.cli import run
from llm_audit.compare.rules import parse
from llm_audit.config import Config, load


def test_writes_a_valid_configuration_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path)]) == 0
    settings = load(folder=tmp_path, environ={})
    assert settings.file == tmp_path / "llm-audit.toml"
    assert [parse(rule).kind for rule in settings.config.fail_on] == ["relative", "absolute", "level"]
    (tmp_path / "llm-audit.toml").write_text("jobs = 7\n")
    assert run(["init", str(tmp_path)]) == 0
    assert load(folder=tmp_path, environ={}).config.jobs == 7
    assert "Kept" in capsys.readouterr().err
    assert run(["init", str(tmp_path), "--force"]) == 0
    assert load(folder=tmp_path, environ={}).config.jobs == 0


def test_the_template_shows_every_setting_with_its_default() -> None:
    text = (resources.files("llm_audit.cli") / "templates" / "llm-audit.toml").read_text()
    shown = tomllib.loads(re.sub(r"^# (?=[a-z_]+ = )", "", text.split("# [budgets]")[0], flags=re.MULTILINE))
    tables = set(re.findall(r"^# \[(\w+)\]", text, flags=re.MULTILINE))
    assert set(shown) | tables == set(Config.__struct_fields__)
    default = Config()
    examples = {"fail_on", "log_format", "date_order", "key_date", "calibration", "pseudonym_key"}
    for name in set(shown) - examples - {"workspace", "ledger"}:
        assert shown[name] == getattr(default, name), name


def test_a_missing_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path / "none")]) == 2
    assert "is not a folder" in capsys.readouterr().err
