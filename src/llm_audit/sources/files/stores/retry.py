"""Requests to a store, tried again after what may pass: throttling, errors of the server, connections that break."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TypeVar

from xxhash import xxh3_64_intdigest

ATTEMPTS = 6
FIRST_WAIT_S = 0.25

_T = TypeVar("_T")
_DENIED = r"ACCESS_DENIED|PERMISSION_DENIED|Permission denied|AuthorizationFailure|\] 403 "
_MISSING = r"NO_SUCH|NOT_FOUND|No such file|does not exist|BlobNotFound|ContainerNotFound|\] 404 "
_ARCHIVED = r"INVALID_OBJECT_STATE|InvalidObjectState|BlobArchived"
_NO_CONNECTION = r"curlCode: [67],|CURL error \[[67]\]|Couldn't (?:connect|resolve)|Fail to get a new connection"
_REFUSED = (
    r"INVALID_ACCESS_KEY|INVALID_CLIENT|SIGNATURE_DOES_NOT|UNRECOGNIZED_CLIENT|EXPIRED_TOKEN|UNAUTHENTICATED"
    r"|AuthenticationFailed|MOVED_PERMANENTLY|\] 4(?!08|29)\d\d |HTTP status (?:code: )?4(?!08|29)"
)
_SLOW_DOWN = r"SLOW_DOWN|SERVICE_UNAVAILABLE|THROTTL|RESOURCE_EXHAUSTED|ServerBusy|\] 429 "  # second: a 503 of S3
_BROKEN = r"curlCode: 18|Transferred a partial file|end of response"
_SERVER = r"NETWORK_CONNECTION|CURL error|UNAVAILABLE|INTERNAL|Azure Error: \[\w*\] (?:5|Error while)"

_PERMANENT = re.compile(f"{_DENIED}|{_MISSING}|{_ARCHIVED}|{_NO_CONNECTION}|{_REFUSED}")
_WORDS = {
    "permission denied": re.compile(_DENIED),
    "it does not exist": re.compile(_MISSING),
    "it is archived, and must be restored first": re.compile(_ARCHIVED),
    "no connection to the endpoint": re.compile(_NO_CONNECTION),
    "the store is busy, or asked to slow down": re.compile(_SLOW_DOWN),
    "the connection broke off": re.compile(_BROKEN),
    "the store did not answer as it should": re.compile(_SERVER),
}
_QUERY = re.compile(r"\?\S+")


class ShortReadError(OSError):
    """A store sent fewer bytes than it has."""


def tried(call: Callable[[], _T], name: str, *, attempts: int = ATTEMPTS) -> _T:
    """Return what a request gives, after as many attempts as it takes.

    The wait doubles with each attempt, and differs between objects so that they are not asked for all at once.

    Raises:
        OSError: What cannot pass by waiting, or what the last attempt ended with.
    """
    for attempt in range(1, attempts + 1):
        try:
            return call()
        except Exception as error:
            if attempt == attempts or not is_transient(error):
                raise
        time.sleep(wait_s(name, attempt))
    raise AssertionError


def wait_s(name: str, attempt: int) -> float:
    """Return the seconds to wait after an attempt: a full turn and up to half of one, by the object's name."""
    thousandths = xxh3_64_intdigest(f"{name} {attempt}".encode(errors="surrogateescape")) % 1000
    return FIRST_WAIT_S * float(1 << (attempt - 1)) * (1 + thousandths / 2000)


def is_transient(error: Exception) -> bool:
    """Return whether a request may succeed when it is made again."""
    if isinstance(error, FileNotFoundError | PermissionError | NotADirectoryError | IsADirectoryError):
        return False
    return isinstance(error, OSError) and _PERMANENT.search(str(error)) is None


def why(error: Exception) -> str:
    """Return why a request failed, in a few words without the query of an address, which may hold a token."""
    if isinstance(error, ShortReadError):
        return str(error)
    text = " ".join(str(error).split())
    said = next((words for words, pattern in _WORDS.items() if pattern.search(text)), None)
    if said is not None:
        return said
    return _QUERY.sub("?…", text)[:200] or type(error).__name__
