from collections.abc import Callable
from typing import Any

from llm_audit.classify.text.words import AskPlan

COLUMNS: tuple[str, ...]

def prepare(
    keys: tuple[bytes, ...],
    columns: tuple[str, ...],
    ask: AskPlan | None,
    own_ask: Callable[[str, bool], str | None],
    as_text: Callable[[object], str | None],
    template: Callable[[int, str], int],
    is_placeholder: Callable[[str], bool],
    longest_placeholder: int,
    /,
) -> object: ...
def read(
    plan: object,
    batch: tuple[Any, ...],
    block: bytes,
    start: int,
    row: int,
    last: int,
    input_: int,
    line: int,
    entry: int,
    ask_chars: int,
    /,
) -> tuple[int, int, int]: ...
