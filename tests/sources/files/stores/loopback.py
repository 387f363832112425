"""Object stores on the loopback interface: as much of S3, Google Cloud Storage and Azure Blob Storage as reading needs.

Each lists, describes and serves objects, whole or by range, and can be made to fail in given ways. A store is a process
of its own, since Arrow's clients may wait for it without letting other threads of Python run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import gmtime, strftime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000  # keys in an answer to a request for a listing
LIFE_SECONDS = 120  # of a store: a client that still waits for it then has its connection closed


@dataclass
class Stored:
    """An object; ``listed_bytes`` is what a listing states where that is not the truth."""

    content: bytes
    modified_s: int = 1_788_000_000
    listed_bytes: int | None = None

    @property
    def etag(self) -> str:
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()


class Seen(NamedTuple):
    """A request: LIST, HEAD or GET, and the key or prefix it names."""

    kind: str
    key: str
    range: str | None = None


@dataclass
class Fault:
    """A failure: of each request of a kind for keys that end so, or of one in ``every`` requests.

    ``answer`` is a status to answer with, ``reset`` or ``truncate``; ``times`` is how often at most.
    """

    answer: int | str
    kind: str = ""
    key: str = ""
    every: int = 1
    times: int = 1 << 30

    def hits(self, seen: Seen, number: int) -> bool:
        fits = self.kind in ("", seen.kind) and seen.key.endswith(self.key) and number % self.every == 0
        if not fits or not self.times:
            return False
        self.times -= 1
        return True


@dataclass
class Bucket:
    """Objects, the requests that were seen, and faults."""

    objects: dict[str, Stored] = field(default_factory=dict)
    name: str = "logs"
    seen: list[Seen] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def level(self, prefix: str, *, deep: bool) -> tuple[list[str], list[str]]:
        """Return the keys and the common prefixes below a prefix."""
        keys = sorted(key for key in self.objects if key.startswith(prefix))
        if deep:
            return keys, []
        direct = [key for key in keys if "/" not in key[len(prefix) :]]
        folders = {prefix + key[len(prefix) :].partition("/")[0] + "/" for key in keys if key not in direct}
        return direct, sorted(folders)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = LIFE_SECONDS
    store: Bucket

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        seen = self.request_of(unquote(url.path), query)
        self.store.seen.append(seen)
        fault = next((f.answer for f in self.store.faults if f.hits(seen, len(self.store.seen))), None)
        if fault == "reset":
            self.close_connection = True
            self.connection.close()
        elif isinstance(fault, int) and self.command == "HEAD":  # whose answer has no body to tell more
            self.answer(fault, b"", "text/plain")
        elif isinstance(fault, int):
            self.answer(fault, self.error(fault), "application/json" if isinstance(self, Gcs) else "application/xml")
        elif seen.kind == "LIST":
            self.list(seen.key, query)
        else:
            self.send_object(seen, truncate=fault == "truncate")

    do_HEAD = do_GET  # noqa: N815 - the name that the server calls

    def answer(self, status: int, body: bytes = b"", kind: str = "application/xml", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_object(self, seen: Seen, *, truncate: bool) -> None:
        stored = self.store.objects.get(seen.key)
        if stored is None:
            self.answer(404, *((b"", "text/plain") if self.command == "HEAD" else (self.error(404),)))
            return
        first, last = 0, len(stored.content) - 1
        if seen.range:
            start, _, end = seen.range.removeprefix("bytes=").partition("-")
            first, last = int(start), min(last, int(end or last))
            if first > last:
                self.answer(416, self.error(416))
                return
        self.send_response(206 if seen.range else 200)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(last - first + 1),
            "Last-Modified": formatdate(stored.modified_s, usegmt=True),
            "ETag": f'"{stored.etag}"',
            "Accept-Ranges": "bytes",
            "x-ms-blob-type": "BlockBlob",
            "x-ms-creation-time": formatdate(stored.modified_s, usegmt=True),
            "x-ms-server-encrypted": "true",
            "x-ms-lease-status": "unlocked",
            "x-ms-lease-state": "available",
            "x-goog-generation": "1",
            "x-goog-metageneration": "1",
        }
        if seen.range:
            headers["Content-Range"] = f"bytes {first}-{last}/{len(stored.content)}"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        body = stored.content[first : last + 1]
        if truncate:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(body)

    def request_of(self, path: str, query: dict[str, str]) -> Seen:
        raise NotImplementedError

    def list(self, prefix: str, query: dict[str, str]) -> None:
        raise NotImplementedError

    def error(self, status: int) -> bytes:
        code = {403: "AccessDenied", 404: "NoSuchKey", 503: "SlowDown", 500: "InternalError"}.get(status, "Error")
        return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()

    def in_bucket(self, prefix: str, query: dict[str, str], mark: str) -> tuple[list[str], list[str], str]:
        """Return a page of a listing, and the mark of the next."""
        keys, folders = self.store.level(prefix, deep=not query.get("delimiter"))
        everything = sorted([*keys, *folders])
        limit = int(query.get("max-keys") or query.get("maxresults") or PAGE)
        page = [item for item in everything if item > mark][:limit]
        following = page[-1] if page and page[-1] != everything[-1] else ""
        return [item for item in page if item in keys], [item for item in page if item in folders], following

    def size(self, key: str) -> int:
        stored = self.store.objects[key]
        return len(stored.content) if stored.listed_bytes is None else stored.listed_bytes


class S3(_Handler):
    def request_of(self, path: str, query: dict[str, str]) -> Seen:
        bucket, _, key = path.lstrip("/").partition("/")
        kind = "LIST" if "list-type" in query else self.command
        key = query.get("prefix", "") if kind == "LIST" else key
        return Seen(kind, key if bucket == self.store.name else f"no bucket {bucket}", self.headers.get("Range"))

    def list(self, prefix: str, query: dict[str, str]) -> None:
        if prefix.startswith("no bucket"):
            self.answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
            return
        keys, folders, following = self.in_bucket(prefix, query, query.get("continuation-token", ""))
        objects = self.store.objects
        items = [
            f"<Contents><Key>{escape(key)}</Key><Size>{self.size(key)}</Size><ETag>{objects[key].etag}</ETag>"
            f"<LastModified>{_iso(objects[key].modified_s)}</LastModified></Contents>"
            for key in keys
        ]
        items += [f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders]
        more = f"<IsTruncated>{'true' if following else 'false'}</IsTruncated>"
        if following:
            more += f"<NextContinuationToken>{escape(following)}</NextContinuationToken>"
        body = f"<ListBucketResult><KeyCount>{len(items)}</KeyCount>{more}{''.join(items)}</ListBucketResult>"
        self.answer(200, body.encode())


class Gcs(_Handler):
    def request_of(self, path: str, query: dict[str, str]) -> Seen:
        bucket, _, key = path.removeprefix("/storage/v1/b/").removeprefix("/download").partition("/o")
        if not path.startswith("/storage/v1/b/"):
            bucket, _, key = path.lstrip("/").partition("/")
        kind = "GET" if query.get("alt") == "media" or not path.startswith("/storage/v1/b/") else "HEAD"
        if not key and path.startswith("/storage/v1/b/"):
            kind, key = "LIST", query.get("prefix", "")
        key = key.removeprefix("/")
        return Seen(kind, key if bucket == self.store.name else f"no bucket {bucket}", self.headers.get("Range"))

    def send_object(self, seen: Seen, *, truncate: bool) -> None:
        if seen.kind == "HEAD" and seen.key in self.store.objects:
            self.answer(200, json.dumps(self.described(seen.key, listed=False)).encode(), "application/json")
        else:
            super().send_object(seen, truncate=truncate)

    def list(self, prefix: str, query: dict[str, str]) -> None:
        if prefix.startswith("no bucket"):
            self.answer(404, self.error(404), "application/json")
            return
        keys, folders, following = self.in_bucket(prefix, query, query.get("pageToken", ""))
        body: dict[str, object] = {
            "kind": "storage#objects",
            "items": [self.described(key) for key in keys],
            "prefixes": folders,
        }
        if following:
            body["nextPageToken"] = following
        self.answer(200, json.dumps(body).encode(), "application/json")

    def described(self, key: str, *, listed: bool = True) -> dict[str, object]:
        stored = self.store.objects[key]
        return {
            "kind": "storage#object",
            "name": key,
            "bucket": self.store.name,
            "size": str(self.size(key) if listed else len(stored.content)),
            "updated": _iso(stored.modified_s),
            "timeCreated": _iso(stored.modified_s),
            "generation": "1",
            "metageneration": "1",
            "etag": stored.etag,
        }

    def error(self, status: int) -> bytes:
        return json.dumps({"error": {"code": status, "message": f"status {status}"}}).encode()


class Azure(_Handler):
    def request_of(self, path: str, query: dict[str, str]) -> Seen:
        _, _, rest = path.lstrip("/").partition("/")  # the account
        container, _, key = rest.partition("/")
        if "action" in query:
            return Seen("FLAT", "")
        kind = "LIST" if query.get("comp") == "list" else self.command
        key = query.get("prefix", "") if kind == "LIST" else key
        of_bytes = self.headers.get("x-ms-range") or self.headers.get("Range")
        return Seen(kind, key if container == self.store.name else f"no bucket {container}", of_bytes)

    def send_object(self, seen: Seen, *, truncate: bool) -> None:
        if seen.kind == "FLAT":  # an account without a hierarchical namespace
            self.answer(400, b"", "text/plain", x_ms_error_code="HierarchicalNamespaceNotEnabled")
        else:
            super().send_object(seen, truncate=truncate)

    def list(self, prefix: str, query: dict[str, str]) -> None:
        if prefix.startswith("no bucket"):
            self.answer(404, b"", "text/plain", x_ms_error_code="ContainerNotFound")
            return
        keys, folders, following = self.in_bucket(prefix, query, query.get("marker", ""))
        items = [f"<BlobPrefix><Name>{escape(name)}</Name></BlobPrefix>" for name in folders]
        items += [
            f"<Blob><Name>{escape(key)}</Name><Properties>"
            f"<Last-Modified>{formatdate(self.store.objects[key].modified_s, usegmt=True)}</Last-Modified>"
            f"<Etag>{self.store.objects[key].etag}</Etag><Content-Length>{self.size(key)}</Content-Length>"
            "<BlobType>BlockBlob</BlobType></Properties></Blob>"
            for key in keys
        ]
        body = (
            f"<?xml version='1.0' encoding='utf-8'?><EnumerationResults><Blobs>{''.join(items)}</Blobs>"
            f"<NextMarker>{escape(following)}</NextMarker></EnumerationResults>"
        )
        self.answer(200, body.encode())


def _iso(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(seconds))


def _serve(kind: str) -> None:
    """Serve a store, and follow commands from standard input, one a line."""
    bucket = Bucket()
    handler = {"s3": S3, "gcs": Gcs, "azure": Azure}[kind]
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (handler,), {"store": bucket}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        command = json.loads(line)
        match command["do"]:
            case "put":
                content = base64.b64decode(command["content"]) * command["times"]
                bucket.objects[command["key"]] = Stored(content, **command["more"])
            case "delete":
                del bucket.objects[command["key"]]
            case "faults":
                bucket.faults = [Fault(**fault) for fault in command["faults"]]
            case "forget":
                bucket.seen.clear()
        sys.stdout.write(json.dumps(bucket.seen if command["do"] == "seen" else None) + "\n")
        sys.stdout.flush()


class Store:
    """A bucket ``logs`` in a store that runs in another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    def put(self, key: str, content: bytes, *, times: int = 1, **more: int) -> None:
        """Store an object, of the content repeated."""
        self._do(do="put", key=key, content=base64.b64encode(content).decode(), times=times, more=more)

    def delete(self, key: str) -> None:
        self._do(do="delete", key=key)

    def fail(self, *faults: Fault) -> None:
        self._do(do="faults", faults=[vars(fault) for fault in faults])

    def forget(self) -> None:
        self._do(do="forget")

    def seen(self, kind: str = "") -> list[Seen]:
        return [Seen(*seen) for seen in self._do(do="seen") if kind in ("", seen[0])]

    def _do(self, **command: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the store has ended"
        return json.loads(answer)


@contextmanager
def serving(kind: str) -> Iterator[Store]:
    """Start a store, ``s3``, ``gcs`` or ``azure``, which ends with the block, and in any case after some time."""
    command = [sys.executable, __file__, kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        limit = threading.Timer(LIFE_SECONDS, process.kill)
        limit.start()
        try:
            yield Store(process)
        finally:
            limit.cancel()
            process.kill()


if __name__ == "__main__":
    _serve(sys.argv[1])
