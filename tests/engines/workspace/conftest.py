"""What updates of ledgers need: the classifier, and a bucket of a real server of S3 on the loopback interface."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyarrow import fs
from tests.sources.files.stores.moto_s3 import s3_server, use_s3

from llm_audit.classify import Classifier
from llm_audit.sources.files.stores import address, clients


@pytest.fixture(scope="session")
def shipped() -> Classifier:
    return Classifier.load()


@pytest.fixture(autouse=True)
def _weights_read_once(shipped: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the many small runs of these tests the reading of weights that never change."""
    monkeypatch.setattr(Classifier, "load", lambda: shipped)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with s3_server() as endpoint:
        use_s3(endpoint, monkeypatch)
        options = clients.s3_options(address.parse("s3://scratch").store)
        fs.S3FileSystem(**options, allow_bucket_creation=True).create_dir("scratch")
        yield "s3://scratch"
