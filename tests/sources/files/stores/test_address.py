"""Addresses say where an object is and never hold a credential."""

import pytest

from llm_audit.errors import UsageError
from llm_audit.sources.files.stores.address import Kind, Store, is_remote, parse


@pytest.mark.parametrize(
    ("text", "environ", "store", "bucket", "key"),
    [
        ("s3://b/a/b c", {}, Store(Kind.S3), "b", "a/b c"),
        ("s3://b/a", {"AWS_REGION": "x", "AWS_DEFAULT_REGION": "y"}, Store(Kind.S3, region="x"), "b", "a"),
        (
            "s3://b",
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:9000/", "AWS_NO_SIGN_REQUEST": "yes", "AWS_DEFAULT_REGION": "y"},
            Store(Kind.S3, "127.0.0.1:9000", "http", "y", anonymous=True),
            "b",
            "",
        ),
        (
            "s3://b/a?endpoint_override=localhost:9000&scheme=http&region=auto",
            {"AWS_ENDPOINT_URL": "https://other"},
            Store(Kind.S3, "localhost:9000", "http", "auto"),
            "b",
            "a",
        ),
        ("s3://b/0?.jsonl", {}, Store(Kind.S3), "b", "0?.jsonl"),
        ("gs://b/a", {}, Store(Kind.GCS), "b", "a"),
        ("gcs://b/a?anonymous=true", {}, Store(Kind.GCS, anonymous=True), "b", "a"),
        (
            "gs://b/a",
            {"STORAGE_EMULATOR_HOST": "http://localhost:4443"},
            Store(Kind.GCS, "localhost:4443", "http", anonymous=True),
            "b",
            "a",
        ),
        ("az://c/a?account_name=acct", {}, Store(Kind.AZURE, account="acct"), "c", "a"),
        ("az://c/a", {"AZURE_STORAGE_ACCOUNT": "acct"}, Store(Kind.AZURE, account="acct"), "c", "a"),
        ("abfss://c@acct.dfs.core.windows.net/a", {}, Store(Kind.AZURE, account="acct"), "c", "a"),
    ],
)
def test_an_address_is_its_store_and_its_key(
    text: str, environ: dict[str, str], store: Store, bucket: str, key: str
) -> None:
    assert is_remote(text)
    address = parse(text, environ)
    assert (address.store, address.bucket, address.key) == (store, bucket, key)
    assert address.name(f"{bucket}/x").endswith("/x")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("s3://AKIA:secret@b/a", "credentials"),
        ("s3://b/a?access_key=AKIA&secret_key=secret", "not known"),
        ("az://c/a?account_name=x&sig=secret", "not known"),
        ("az://c/a", "AZURE_STORAGE_ACCOUNT"),
        ("s3:///a", "names no bucket"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_its_secrets(text: str, match: str) -> None:
    with pytest.raises(UsageError, match=match) as error:
        parse(text, {})
    assert "secret@" not in str(error.value)
    assert "=secret" not in str(error.value)


@pytest.mark.parametrize("path", ["logs", "/data/s3://x", "https://b/a", "C://x", "-"])
def test_other_paths_are_not_remote(path: str) -> None:
    assert not is_remote(path)
