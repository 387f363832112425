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
_PERMANENT = re.compile(
    r"ACCESS_DENIED|NO_SUCH|NOT_FOUND|INVALID_ACCESS_KEY|INVALID_CLIENT|SIGNATURE_DOES_NOT|UNRECOGNIZED_CLIENT"
    r"|EXPIRED_TOKEN|PERMISSION_DENIED|UNAUTHENTICATED|AuthenticationFailed|AuthorizationFailure|BlobArchived"
    r"|INVALID_OBJECT_STATE|InvalidObjectState|MOVED_PERMANENTLY|\b(?:301|400|401|403|404|409|416)\b"
    r"|curlCode: [67],|CURL error \[[67]\]|Couldn't (?:connect|resolve)|Fail to get a new connection"
)
_WORDS = (
    (re.compile(r"ACCESS_DENIED|PERMISSION_DENIED|Permission denied|AuthorizationFailure|\b403\b"), "permission denied"),
    (re.compile(r"NO_SUCH_BUCKET|ContainerNotFound"), "there is no such bucket"),
    (re.compile(r"NO_SUCH_KEY|NOT_FOUND|No such file|does not exist|BlobNotFound|\b404\b"), "it does not exist"),
    (re.compile(r"curlCode: [67],|CURL error \[[67]\]|Couldn't (?:connect|resolve)|Fail to get a new connection"),
     "no connection to the endpoint"),
    (re.compile(r"INVALID_OBJECT_STATE|InvalidObjectState|BlobArchived"), "it is archived, and must be restored first"),
    (re.compile(r"SLOW_DOWN|THROTTL|RESOURCE_EXHAUSTED|ServerBusy|\b429\b"), "the store asked to slow down"),
    (re.compile(r"curlCode: 18|Transferred a partial file|end of response"), "the connection broke off"),
    (re.compile(r"NETWORK_CONNECTION|CURL error|UNAVAILABLE|SERVICE_UNAVAILABLE|INTERNAL|\b50[0-9]\b"),
     "the store did not answer as it should"),
)  # fmt: skip
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
    share = (xxh3_64_intdigest(f"{name} {attempt}".encode(errors="surrogateescape")) % 1000) / 1000
    return FIRST_WAIT_S * 2 ** (attempt - 1) * (1 + share / 2)


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
    said = next((words for pattern, words in _WORDS if pattern.search(text)), None)
    if said is not None:
        return said
    return _QUERY.sub("?…", text)[:200] or type(error).__name__
