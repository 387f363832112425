from llm_audit.sources.remembered import remembered


def test_short_texts_are_worked_out_once_and_long_ones_are_not_held() -> None:
    asked: list[str] = []

    @remembered
    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    assert [length("ab"), length("ab"), length("x" * 256), length("x" * 256)] == [2, 2, 256, 256]
    assert [length("y" * 257), length("y" * 257)] == [257, 257]
    assert asked == ["ab", "x" * 256, "y" * 257, "y" * 257]
