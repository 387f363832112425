"""What updates of ledgers need: the classifier, and a bucket of a real server of S3 on the loopback interface."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs

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
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    options = clients.s3_options(address.parse("s3://scratch").store)
    fs.S3FileSystem(**options, allow_bucket_creation=True).create_dir("scratch")
    yield "s3://scratch"
    server.stop()
