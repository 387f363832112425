"""Stores on the loopback interface, with the environment that leads to each."""

from collections.abc import Iterator

import pytest
from tests.sources.files.stores.loopback import Store, serving

from llm_audit.sources.files.stores import retry
from llm_audit.sources.files.stores.clients import client


@pytest.fixture
def s3(clean: pytest.MonkeyPatch) -> Iterator[Store]:
    with serving("s3") as store:
        clean.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{store.port}")
        clean.setenv("AWS_NO_SIGN_REQUEST", "true")
        clean.setenv("AWS_REGION", "eu-central-1")
        yield store


@pytest.fixture
def gcs(clean: pytest.MonkeyPatch) -> Iterator[Store]:
    with serving("gcs") as store:
        clean.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{store.port}")
        yield store


@pytest.fixture
def azure(clean: pytest.MonkeyPatch) -> Iterator[Store]:
    with serving("azure") as store:
        clean.setenv("AZURE_STORAGE_ENDPOINT", f"http://127.0.0.1:{store.port}")
        clean.setenv("AZURE_STORAGE_ACCOUNT", "acct")
        clean.setenv("AZURE_STORAGE_KEY", "c2VjcmV0LWtleQ==")
        yield store


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment without stores, in which a client waits little before it tries again."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.001)
    client.cache_clear()
    yield monkeypatch
    client.cache_clear()
