from typing import Any

def scan(
    data: bytes,
    starts: Any,
    classes: Any,
    folded: Any,
    table: Any,
    keys: Any,
    evidence: Any,
    sums: Any,
    counts: Any,
    found: Any,
    /,
) -> None: ...
