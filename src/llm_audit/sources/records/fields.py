"""Safe getters: the value of a field where it is of the wanted type, else nothing.

Logs nest JSON in strings, write numbers as strings and leave out what they do not know. These readers never raise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from llm_audit.sources.python_values import python_value

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode
_NOTHING = frozenset({"", "none", "null", "nan", "n/a", "undefined"})
_LONGEST_NOTHING = max(map(len, _NOTHING))
_EMPTY: Mapping[str, Any] = {}
_JSON_STARTS = frozenset(' \t\n\r{["-0123456789tfn')

Json = Mapping[str, Any]


def text_in_python(value: object) -> str | None:
    """Return a non-blank string as it is, an integer as its digits, anything else as None."""
    if type(value) is str:
        stripped = value.strip()
        return value if len(stripped) > _LONGEST_NOTHING or stripped.lower() not in _NOTHING else None
    return str(value) if type(value) is int else None


def first_in_python(record: Json, *names: str) -> Any:
    """Return the first of these fields that is present, not null and not an empty string."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            return value
    return None


def firsts_in_python(record: Json, groups: tuple[tuple[str, ...], ...]) -> tuple[Any, ...]:
    """Return what ``first`` finds, for each of several lists of fields."""
    return tuple([first_in_python(record, *names) for names in groups])


def parsed(value: object) -> Any:
    """Decode JSON held in a string; a string that is not JSON, and any other value, is returned as it is."""
    if isinstance(value, (str, bytes)):
        if type(value) is str and value[:1] not in _JSON_STARTS:  # to fail takes longer than to decode
            return value
        try:
            return _decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return value
    return value


def mapping_in_python(value: object) -> Json:
    """Return an object, decoded where it is JSON in a string; an empty one where it is none."""
    if type(value) is dict:
        return value
    if value is None:
        return _EMPTY
    if isinstance(value, str):
        value = _literal(parsed(value)) if value.lstrip()[:1] == "{" else python_value(value)
    return value if type(value) is dict or isinstance(value, Mapping) else _EMPTY


def _literal(value: object) -> object:
    """Decode an object or array as Python prints it, which is what tables of pandas hold as texts."""
    return python_value(value) if isinstance(value, str) else value


def listing(value: object) -> list[Any]:
    """Return an array, decoded where it is JSON in a string; an empty one where it is none."""
    if type(value) is list:
        return value
    if value is None:
        return []
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        value = _literal(parsed(value))
    return list(value) if isinstance(value, list | tuple) else []


def objects_in_python(value: object) -> Iterator[Json]:
    """Yield the objects of an array and pass over anything else in it."""
    if value is None:
        return iter(())
    return iter([item for item in listing(value) if type(item) is dict or isinstance(item, Mapping)])


def at(record: object, *path: str) -> Any:
    """Follow a path of field names, reading JSON in strings on the way; None where it ends early."""
    for name in path:
        record = mapping(record).get(name)
        if record is None:
            return None
    return record


def number(value: object) -> float | None:
    """Return a finite number, also one written as a string."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            result = float(value)
        except OverflowError:
            return None
        return result if math.isfinite(result) else None
    return None


def as_int(value: object) -> int | None:
    """Return an integer, also one written as a string or with a zero fraction."""
    if type(value) is int or value is None:
        return value
    found = number(value)
    return int(found) if found is not None and found.is_integer() else None


def flag(value: object) -> bool | None:
    """Return a truth value, also one written as a word or as 0 or 1."""
    if value is None or type(value) is bool:
        return value
    if isinstance(value, str):
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(value.lower())
    return bool(value) if isinstance(value, int) and value in (0, 1) else None  # 17 is the number of a batch


def canonical(value: object) -> str:
    """Write a JSON value in one way only: keys sorted, no spaces. JSON in a string is decoded first."""
    value = parsed(value)
    if isinstance(value, str):
        return value
    try:
        return _encode(value).decode()
    except (TypeError, ValueError, RecursionError, OverflowError, msgspec.MsgspecError):
        return ""


text: Callable[[object], str | None]
first: Callable[..., Any]
firsts: Callable[[Json, tuple[tuple[str, ...], ...]], tuple[Any, ...]]
mapping: Callable[[object], Json]
objects: Callable[[object], Iterator[Json]]
try:
    from llm_audit.sources.records import _fields
except ImportError:  # built only where a C compiler is available; the Python forms return the same
    text, first, firsts = text_in_python, first_in_python, firsts_in_python
    mapping, objects = mapping_in_python, objects_in_python
else:
    _fields.prepare(_EMPTY, mapping_in_python, objects_in_python)
    text, first, firsts = _fields.text, _fields.first, _fields.firsts
    mapping, objects = _fields.mapping, _fields.objects


class Attribution(NamedTuple):
    """To whom a call is attributed: team, app, user and environment, and its free tags (``key=value`` or bare)."""

    team: str | None = None
    app: str | None = None
    user: str | None = None
    environment: str | None = None
    tags: tuple[str, ...] = ()


_TEAM = ("team", "team_name", "team_alias", "team_id", "department", "cost_center", "cost_centre", "business_unit")
_APP = ("app", "application", "app_name", "service", "service_name", "project", "product", "feature", "use_case")
_USER = ("user", "user_id", "user_name", "username", "end_user", "customer", "customer_id")
_ENVIRONMENT = ("environment", "env", "deployment_environment", "stage")
_ATTRIBUTED = {
    name: (place, rank)
    for place, names in enumerate((_TEAM, _APP, _USER, _ENVIRONMENT))
    for rank, name in enumerate(names)
}  # column, and how specific the name is (0 most), by field name
_TAGS = (-1, 0)
_OTHER = (-2, 0)
_IDS = (-3, 0)  # ids of single calls, which are no use as tags
_MAX_TAG = 100  # characters: a longer value is content, not a label
_MAX_KEYS = 4096  # names remembered


def attribution_of(metadata: Json) -> Attribution:
    """Read team, app, user and environment from metadata by their usual names; what is left becomes tags.

    Where several names denote one column the more specific one wins, and the others stay tags. ``tags`` is read as a
    list or an object. Other ids and fractions distinguish calls rather than group them, and are left out, and so is
    anything but a string, number or truth value no longer than a label.
    """
    if not metadata:
        return UNATTRIBUTED
    chosen: list[str | None] = [None, None, None, None]
    held: list[tuple[int, str]] = [_UNHELD, _UNHELD, _UNHELD, _UNHELD]
    tags: list[str] = []
    for key, value in metadata.items():
        place, rank = _places.get(key) or _place(key)
        if place == _TAGS[0]:
            tags += labels(value)
            continue
        label = _label(value)
        if label is None or place == _IDS[0]:
            continue
        if place >= 0 and (rank, key) < held[place]:
            label, chosen[place] = chosen[place], label
            (rank, key), held[place] = held[place], (rank, key)  # noqa: PLW2901 - the name it takes the place of
        if label is not None:
            tags.append(f"{key}={label}")
    team, app, user, environment = chosen
    return Attribution(team, app, user, environment, tuple(sorted(set(tags))) if tags else ())


def _place(key: str) -> tuple[int, int]:
    name = key.lower().replace("-", "_").replace(".", "_").replace(" ", "_")
    found = _TAGS if name in {"tags", "labels"} else _ATTRIBUTED.get(name)
    if found is None:
        found = _IDS if key.endswith(("_id", "-id", "Id", "ID", "uuid")) or name == "id" else _OTHER
    if len(_places) >= _MAX_KEYS:
        _places.clear()
    _places[key] = found
    return found


def labels(value: object) -> tuple[str, ...]:
    """Read tags given as a list, an object, JSON of either in a string, or words separated by commas."""
    if value is None:
        return ()
    value = parsed(value)
    if isinstance(value, Mapping):
        return tuple(f"{key}={label}" for key, item in value.items() if (label := _label(item)) is not None)
    if isinstance(value, str):
        value = value.split(",")
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(label for item in items if (label := _label(item)) is not None)


def _label(value: object) -> str | None:
    if type(value) is str:
        value = value.strip()
        return value if len(value) <= _MAX_TAG and value.lower() not in _NOTHING else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return None if (count := as_int(value)) is None else str(count)
    return None


UNATTRIBUTED = Attribution()
_UNHELD = (len(_ATTRIBUTED), "")
_places: dict[str, tuple[int, int]] = {}
