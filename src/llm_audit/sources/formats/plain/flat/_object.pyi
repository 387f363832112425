from collections.abc import Callable
from typing import Any

from llm_audit.sources.formats.plain.flat.object_reader import Value

def prepare(make: Callable[..., Any], keys: tuple[bytes, ...], values: tuple[Value, ...], /) -> object: ...
def read(plan: object, line: bytes, /) -> Any: ...
