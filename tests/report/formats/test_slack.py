from tests.report import build, compared, hostile
from tests.report.golden import assert_golden

from llm_audit.report.interface import Options
from llm_audit.report.registry import render


def test_is_as_last_looked_at() -> None:
    assert_golden("slack.txt", render(build.rich(), "slack", options=Options(check=compared.check())))


def test_is_a_dozen_lines_without_markup_or_escapes() -> None:
    text = render(build.rich(), "slack").decode()
    assert 4 <= len(text.splitlines()) <= 14
    assert "\x1b" not in text
    assert not any(line.startswith(("|", "<", "#", "*")) for line in text.splitlines())


def test_names_from_the_log_mention_link_and_style_nothing() -> None:
    for offset in range(len(hostile.CORPUS)):
        text = render(hostile.cycled(offset), "slack").decode()
        for acting in "<>@#*`~":
            assert all(text[place + 1] == "\u2060" for place, char in enumerate(text) if char == acting)


def test_rules_can_be_copied() -> None:
    shown = render(build.rich(), "slack", options=Options(check=compared.check())).decode()
    assert "cost_per_request:+10%" in shown
