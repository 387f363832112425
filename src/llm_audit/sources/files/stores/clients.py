"""Clients of object stores: Arrow's file systems, with credentials from the environment or the provider's own files."""

from __future__ import annotations

import datetime as dt
import os
from functools import lru_cache
from typing import Any

from llm_audit.errors import UsageError
from llm_audit.sources.files.stores.address import Kind, Store

_RETRY_SECONDS = 5  # of Google's own client, before ours tries again

_CONNECT_SECONDS, _SILENT_SECONDS = 10, 30  # Amazon's client gives up after one and three by itself


@lru_cache(maxsize=16)
def client(store: Store) -> Any:
    """Return the client of a store.

    Raises:
        UsageError: This build of Arrow has no client for it, or the credentials cannot be used.
    """
    from pyarrow import fs

    try:
        match store.kind:
            case Kind.S3:
                return fs.S3FileSystem(
                    retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1), **s3_options(store)
                )
            case Kind.GCS:
                return fs.GcsFileSystem(retry_time_limit=dt.timedelta(seconds=_RETRY_SECONDS), **gcs_options(store))
            case Kind.AZURE:
                return fs.AzureFileSystem(store.account, **azure_options(store))
    except (AttributeError, ImportError):
        raise UsageError(
            f"This build of pyarrow cannot read {store.kind}:// addresses. Install the wheel from PyPI."
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"The credentials for {store.kind}:// cannot be used: {str(error).splitlines()[0]}") from None


def s3_options(store: Store) -> dict[str, Any]:
    """Return the options of the S3 client that Arrow does not read from the environment itself."""
    options: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, "request_timeout": _SILENT_SECONDS}
    if store.region:
        options["region"] = store.region
    if store.endpoint:
        options |= {"endpoint_override": store.endpoint, "scheme": store.scheme}
    if store.anonymous:
        options["anonymous"] = True
    return options


def gcs_options(store: Store) -> dict[str, Any]:
    """Return the options of the client of Google Cloud Storage."""
    options: dict[str, Any] = {"anonymous": store.anonymous}
    if store.endpoint:
        options |= {"endpoint_override": store.endpoint, "scheme": store.scheme}
    return options


def azure_options(store: Store) -> dict[str, Any]:
    """Return the options of the client of Azure Blob Storage, with the key or token of the environment."""
    options: dict[str, Any] = {}
    if key := os.environ.get("AZURE_STORAGE_KEY"):
        options["account_key"] = key
    elif token := os.environ.get("AZURE_STORAGE_SAS_TOKEN"):
        options["sas_token"] = token
    if store.endpoint:
        for service in ("blob", "dfs"):
            options |= {f"{service}_storage_authority": store.endpoint, f"{service}_storage_scheme": store.scheme}
    return options
