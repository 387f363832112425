from pathlib import Path

import pytest

from llm_audit import config
from llm_audit.errors import UsageError
from llm_audit.vocabulary import BillingBasis


def test_flag_beats_variable_beats_file_beats_default(tmp_path: Path) -> None:
    (tmp_path / "llm-audit.toml").write_text('policy = "keep"\njobs = 3\ntimezone = "Europe/Berlin"\n')
    settings = config.load(
        {"policy": "always-small", "strict": None},
        environ={"LLM_AUDIT_POLICY": "routellm", "LLM_AUDIT_JOBS": "5"},
        folder=tmp_path,
    )
    assert settings.config.policy == "always-small"
    assert settings.config.jobs == 5
    assert settings.config.timezone == "Europe/Berlin"
    assert settings.config.resamples == config.Config().resamples
    file = str(tmp_path / "llm-audit.toml")
    assert [settings.origins[key] for key in ("policy", "jobs", "timezone", "strict")] == [
        "flag",
        "LLM_AUDIT_JOBS",
        file,
        "default",
    ]


def test_the_nearest_file_upwards_wins(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "llm-audit.toml").write_text("jobs = 1\n")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.llm-audit]\njobs = 2\n")
    (inner / "pyproject.toml").write_text('[project]\nname = "other"\n')
    settings = config.load(environ={}, folder=inner)
    assert settings.config.jobs == 2
    assert settings.file == tmp_path / "a" / "pyproject.toml"


def test_no_file_is_all_defaults(tmp_path: Path) -> None:
    settings = config.load(environ={}, folder=tmp_path)
    assert settings.config == config.Config()
    assert settings.file is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("jobs = 1\npolcy = 'keep'", ["polcy", "Did you mean 'policy'", "llm-audit.toml:2:"]),
        ("strict = true\njobs = 'many'", ["jobs", "int", "llm-audit.toml:2:"]),
        ("confidence = 1.5", ["confidence", "1.5", "0.5 to 0.999"]),
        ("prices = 'x.toml'", ["prices", "array"]),
        ('jobs = 1\n[billing]\n"format=codex" = "subscriptions"', ["billing", "subscriptions", "llm-audit.toml:2:"]),
        ('[billing]\n"team=a" = "free"\n"tema=b" = "free"', ["'tema=b'", "Did you mean 'team'", "llm-audit.toml:3:"]),
        ('[billing]\n"team=" = "free"', ["'team='", "names no requests"]),
        ('[billing]\n"team=a" = {basis = "free", usd_per_month = 20}', ["has no price a month", "llm-audit.toml:2:"]),
        ('[billing]\n"team=a" = {basis = "subscription", usd = 20}', ["billing", "usd"]),
        ("jobs = 1\npolicy = x", ["not valid TOML", "line 2"]),
    ],
)
def test_a_bad_file_is_named_with_what_to_do(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "llm-audit.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        config.load(environ={}, folder=tmp_path)
    for word in words:
        assert word in str(caught.value)


def test_a_mistake_in_pyproject_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\njobs = 1\n\n[tool.llm-audit]\nstrict = true\njobs = "two"\n')
    with pytest.raises(UsageError, match=r"pyproject\.toml:6: jobs is not valid"):
        config.load(environ={}, folder=tmp_path)


def test_variables_read_lists_pairs_and_switches(tmp_path: Path) -> None:
    environ = {
        "LLM_AUDIT_GROUP_BY": "team, app",
        "LLM_AUDIT_ALIASES": "prod-4=gpt-4o,small=gpt-4o-mini",
        "LLM_AUDIT_CACHE": "off",
        "LLM_AUDIT_CONFIDENCE": "0.95",
        "LLM_AUDIT_DEBUG": "1",
    }
    read = config.load(environ=environ, folder=tmp_path).config
    assert read.group_by == ["team", "app"]
    assert read.aliases == {"prod-4": "gpt-4o", "small": "gpt-4o-mini"}
    assert not read.cache
    assert read.confidence == 0.95
    with pytest.raises(UsageError, match="LLM_AUDIT_CACHE is 'perhaps'"):
        config.load(environ={"LLM_AUDIT_CACHE": "perhaps"}, folder=tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none.toml"):
        config.load(file=tmp_path / "none.toml", environ={})


def test_billing_is_a_basis_or_a_plan_with_its_price(tmp_path: Path) -> None:
    (tmp_path / "llm-audit.toml").write_text(
        '[billing]\n"provider=azure" = "commitment"\n'
        '"format=claude-code" = {basis = "subscription", usd_per_month = 200}\n'
    )
    read = config.load(environ={}, folder=tmp_path).config
    assert read.billing == {
        "provider=azure": BillingBasis.COMMITMENT,
        "format=claude-code": config.Plan(basis=BillingBasis.SUBSCRIPTION, usd_per_month=200),
    }
    assert read.fingerprint != config.Config().fingerprint
    environ = {"LLM_AUDIT_BILLING": "format=codex=subscription, team=a=own_key"}
    assert config.load(environ=environ, folder=tmp_path).config.billing == {
        "format=codex": BillingBasis.SUBSCRIPTION,
        "team=a": BillingBasis.OWN_KEY,
    }
    with pytest.raises(UsageError, match=r"billing \(from LLM_AUDIT_BILLING\).*names no requests"):
        config.load(environ={"LLM_AUDIT_BILLING": "model=x=free"}, folder=tmp_path)
