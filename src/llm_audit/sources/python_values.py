"""Values as Python prints them: dictionaries, lists, and objects of SDKs such as ``CompletionUsage(prompt_tokens=1)``.

Tables of pandas, ``json.dumps(default=str)`` and loggers leave them in logs as texts. They are parsed, never evaluated;
an object that counts tokens becomes a dictionary of its fields.
"""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

_LITERAL = re.compile(r"\s*(?:\{'\w|\[\s*\{'\w)")
_OBJECT = re.compile(r"(?<![\w.])[A-Z][A-Za-z]{2,60}\([a-z_]{1,60}=")
_MEMBER = re.compile(r"<\w+(?:\.\w+)+: ('[^'\n]{0,80}'|\d{1,9})>")  # of an enumeration
_OFFSET = re.compile(r"\bTzInfo\(([+-])(\d\d):(\d\d)\)")  # of pydantic
_COUNTS = "_token"  # in the name of a field
_LONGEST = 1 << 16  # characters
_LONGEST_PREFIX = 512  # of a logger, before an object
_DATE_PARTS, _ALL_PARTS = 3, 7
_UTC = frozenset({"utc", "UTC", "tzutc"})
_FAILURES = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


def python_value(text: str) -> Any:
    """Return the dictionary, list or object that a text is; None where it is none.

    >>> python_value("Usage(input_tokens=3, details=Details(cached=None))"), python_value("Circle(radius=1)")
    ({'input_tokens': 3, 'details': {'cached': None}}, None)
    """
    if len(text) > _LONGEST:
        return None
    try:
        if _LITERAL.match(text):
            return ast.literal_eval(text.strip())
        if _OBJECT.match(text) and _COUNTS in text:
            return _value(ast.parse(_OFFSET.sub(_in_seconds, _MEMBER.sub(r"\1", text.strip())), mode="eval").body)
    except _FAILURES:
        return None
    return None


def object_at_end(text: str) -> tuple[str, dict[str, Any]] | None:
    """Return the object at the end of a line, and what a logger wrote before it; None where there is none."""
    if not text.rstrip().endswith(")"):
        return None
    start = _OBJECT.search(text, 0, _LONGEST_PREFIX)
    found = None if start is None else python_value(text[start.start() :])
    return (text[: start.start()], found) if start is not None and isinstance(found, dict) else None


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        if node.args:
            return _time(node)
        return {field.arg: _value(field.value) for field in node.keywords if field.arg is not None}
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {_value(key): _value(item) for key, item in zip(node.keys, node.values, strict=True) if key is not None}
    if isinstance(node, ast.Attribute):
        return node.attr
    return None if isinstance(node, ast.Name) else ast.literal_eval(node)


def _time(call: ast.Call) -> str | None:
    """Return the time that a call of ``datetime`` is; None for any other call.

    Without a zone it is in UTC, as SDKs give times. One in a zone that cannot be read is a text that is no time.
    """
    zone = next((keyword.value for keyword in call.keywords if keyword.arg == "tzinfo"), None)
    if len(call.args) > _ALL_PARTS:
        zone = call.args[_ALL_PARTS]
    parts = [_value(part) for part in call.args[:_ALL_PARTS]]
    if len(parts) < _DATE_PARTS or not all(isinstance(part, int) for part in parts):
        return None
    written = datetime(*parts)  # noqa: DTZ001 - its zone is not yet known
    try:
        return (
            written.replace(tzinfo=UTC if zone is None else _zone(zone)).astimezone(UTC).isoformat()[: -len("+00:00")]
            + "Z"
        )
    except (*_FAILURES, KeyError, OverflowError, OSError):
        return f"{written.isoformat()} in an unknown zone"


def _zone(node: ast.expr) -> tzinfo | None:
    """Return the zone that an expression makes: ``timezone.utc``, ``timezone(timedelta(…))``, ``ZoneInfo(…)``.

    Raises:
        ValueError: It is none that can be read.
    """
    if isinstance(node, ast.Constant) and node.value is None:
        return UTC
    name = _last_name(node.func if isinstance(node, ast.Call) else node)
    if name in _UTC:
        return UTC
    given = [*node.args, *(keyword.value for keyword in node.keywords)] if isinstance(node, ast.Call) else []
    first = given[0] if given else None
    if name == "timezone" and isinstance(first, ast.Call) and _last_name(first.func) == "timedelta":
        days, seconds = ([*(_value(part) for part in first.args), 0, 0])[:2]
        named = {"days": days, "seconds": seconds} | {
            part.arg: _value(part.value) for part in first.keywords if part.arg
        }
        return timezone(timedelta(**named))
    if name == "ZoneInfo" and isinstance(first, ast.Constant) and isinstance(first.value, str):
        return ZoneInfo(first.value)
    if name == "TzInfo" and first is not None:  # of pydantic
        return UTC if _last_name(first) in _UTC else timezone(timedelta(seconds=_value(first)))
    raise ValueError(name)


def _in_seconds(offset: re.Match[str]) -> str:
    return f"TzInfo({offset[1]}{int(offset[2]) * 3600 + int(offset[3]) * 60})"


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
