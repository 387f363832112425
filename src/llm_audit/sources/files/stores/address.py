"""Addresses of objects: ``s3://``, ``gs://``, ``az://`` and ``abfss://``, and the endpoints they are reached by.

Credentials are never part of an address, since reports show addresses.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import unquote

import msgspec

from llm_audit.errors import UsageError

_SCHEME = re.compile(r"(s3|gs|gcs|az|abfss?)://", re.IGNORECASE)
_QUERY = re.compile(r"\?((?:[A-Za-z_]+=[^&?*]*)(?:&[A-Za-z_]+=[^&?*]*)*)$")
_ACCOUNT_HOST = re.compile(r"([^@/]+)@([a-z0-9]+)\.(?:dfs|blob)\.[a-z.]+", re.IGNORECASE)
_OPTIONS = frozenset({"endpoint_override", "scheme", "region", "account_name", "anonymous"})
_TRUE = frozenset({"1", "true", "yes"})


class Kind(StrEnum):
    """The kinds of object store."""

    S3 = "s3"
    GCS = "gs"
    AZURE = "az"


class Store(msgspec.Struct, frozen=True):
    """An object store and how it is reached, without credentials."""

    kind: Kind
    endpoint: str = ""  # host and port; the provider's own where empty
    scheme: str = "https"
    region: str = ""
    account: str = ""  # of Azure
    anonymous: bool = False

    @property
    def place(self) -> str:
        """Return what distinguishes it from other stores."""
        return f"{self.kind}/{self.endpoint}/{self.account}"


class Address(msgspec.Struct, frozen=True):
    """An object, a prefix or a pattern in a store."""

    store: Store
    root: str  # the address of the bucket, as reports show it
    bucket: str
    key: str

    def name(self, path: str) -> str:
        """Return the address of a path of the store, which begins with the bucket."""
        return self.root + path.removeprefix(self.bucket)


def is_remote(path: str) -> bool:
    """Return whether a path is an address in an object store."""
    return _SCHEME.match(path) is not None


def parse(text: str, environ: Mapping[str, str] | None = None) -> Address:
    """Return an address; what it does not state comes from the environment, as the providers' own tools read it.

    Raises:
        UsageError: It names no bucket, holds credentials, or has an option that is not known.
    """
    environ = os.environ if environ is None else environ
    plain, options = _split_options(text)
    scheme, _, rest = plain.partition("://")
    kind = {"gcs": Kind.GCS, "abfs": Kind.AZURE, "abfss": Kind.AZURE}.get(scheme.lower()) or Kind(scheme.lower())
    place, _, key = rest.partition("/")
    account = options.get("account_name", "")
    bucket = place
    if kind is Kind.AZURE and (match := _ACCOUNT_HOST.fullmatch(place)):
        bucket, account = match[1], match[2]
    elif "@" in place:
        raise UsageError(
            f"{scheme}://…@… holds credentials, which reports would show. Leave them out, and give them in the "
            "environment or in the provider's own file."
        )
    if not bucket:
        raise UsageError(f"{text} names no bucket. Write {scheme}://bucket/prefix.")
    store = _store(kind, account, options, environ)
    return Address(store, f"{scheme}://{place}", bucket, key)


def _split_options(text: str) -> tuple[str, dict[str, str]]:
    """Return an address without its options, and these; a question mark of a pattern is no beginning of options."""
    match = _QUERY.search(text)
    if match is None:
        return text, {}
    options = {name.lower(): unquote(value) for name, _, value in (pair.partition("=") for pair in match[1].split("&"))}
    if unknown := sorted(options.keys() - _OPTIONS):
        raise UsageError(
            f"{text[: match.start()]} has the option {unknown[0]}, which is not known; there are "
            f"{', '.join(sorted(_OPTIONS))}. Credentials are given in the environment or in the provider's own file."
        )
    return text[: match.start()], options


def _store(kind: Kind, account: str, options: Mapping[str, str], environ: Mapping[str, str]) -> Store:
    endpoint, region, anonymous = options.get("endpoint_override", ""), options.get("region", ""), False
    match kind:
        case Kind.S3:
            endpoint = endpoint or environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or ""
            region = region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
            anonymous = environ.get("AWS_NO_SIGN_REQUEST", "").lower() in _TRUE
        case Kind.GCS:
            emulator = "" if endpoint else environ.get("STORAGE_EMULATOR_HOST", "")
            endpoint, anonymous = endpoint or emulator, bool(emulator)
        case Kind.AZURE:
            endpoint = endpoint or environ.get("AZURE_STORAGE_ENDPOINT", "")
            account = account or environ.get("AZURE_STORAGE_ACCOUNT", "")
            if not account:
                raise UsageError(
                    "az:// needs the storage account: set AZURE_STORAGE_ACCOUNT, add ?account_name=NAME, or write "
                    "abfss://container@account.dfs.core.windows.net/prefix."
                )
    scheme, _, host = endpoint.rpartition("://")
    return Store(
        kind=kind,
        endpoint=host.rstrip("/"),
        scheme=options.get("scheme") or scheme or "https",
        region=region,
        account=account,
        anonymous=anonymous or options.get("anonymous", "").lower() in _TRUE,
    )
