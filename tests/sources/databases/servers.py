"""Database servers that tests start on loopback, and a proxy that cuts their connections."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

PASSWORD = "cor:rect h@rse/%"
LIMIT_SECONDS = 60  # of each step: to set a server up, to start it, to stop it, and for it to run a statement


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name: str, *folders: str) -> str:
    """Return the path of a server's program, or skip the test."""
    places = [str(path) for pattern in folders for path in sorted(Path("/").glob(pattern), reverse=True)]
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", "")]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@contextlib.contextmanager
def folder(user: str | None) -> Iterator[Path]:
    """Yield a folder that another user may write to, outside of those of pytest, which only their owner may enter."""
    path = Path(tempfile.mkdtemp(prefix="llm-audit-test-", dir="/tmp"))
    try:
        if user is not None:
            shutil.chown(path, user)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def other_user(name: str) -> str | None:
    """Return the user to start a server as: servers refuse to run as root."""
    return name if os.geteuid() == 0 else None


@contextlib.contextmanager
def running(
    command: list[str],
    port: int,
    user: str | None,
    log: Path,
    *,
    ready: str = "",
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """Run a server until the block ends; its log says when it is ready, and a signal tells it to stop."""
    with log.open("wb") as output:
        server = subprocess.Popen(command, user=user, stdout=output, stderr=output, cwd=log.parent)
        try:
            deadline = time.monotonic() + LIMIT_SECONDS
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    if ready in log.read_text(errors="replace"):
                        break
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield
        finally:
            server.send_signal(stop)
            try:
                server.wait(LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(LIMIT_SECONDS)


class CuttingProxy:
    """Passes bytes on to a server, and cuts each of the first connections after so many bytes of answers."""

    def __init__(self, port: int, *, cuts: int, after_bytes: int) -> None:
        self.cuts_left = cuts
        self._after = after_bytes
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.port = self._listener.getsockname()[1]
        self._closed = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self._closed.set()
        for thread in self._threads:
            thread.join(LIMIT_SECONDS)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                limit = self._after if self.cuts_left > 0 else None
                self.cuts_left -= limit is not None
                thread = threading.Thread(target=self._serve, args=(client, limit))
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket, limit: int | None) -> None:
        passed = 0
        address = ("127.0.0.1", self._target)
        with client, socket.create_connection(address, LIMIT_SECONDS) as server, contextlib.suppress(OSError):
            client.settimeout(LIMIT_SECONDS)
            other = {client: server, server: client}
            while not self._closed.is_set() and (limit is None or passed < limit):
                for ready in select.select(list(other), [], [], 0.1)[0]:
                    block = ready.recv(4096)
                    if not block:
                        return
                    other[ready].sendall(block)
                    passed += len(block) if ready is server else 0


@contextlib.contextmanager
def postgres() -> Iterator[int]:
    """Run a PostgreSQL server whose superuser is ``postgres``."""
    initdb = program("initdb", "usr/lib/postgresql/*/bin")
    server = program("postgres", "usr/lib/postgresql/*/bin")
    user, port = other_user("postgres"), free_port()
    with folder(user) as place:
        secret = place / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        data = str(place / "data")
        subprocess.run(
            [initdb, "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "--auth=scram-sha-256",
             f"--pwfile={secret}"],
            user=user, check=True, capture_output=True, cwd=place, timeout=LIMIT_SECONDS,
        )  # fmt: skip
        limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        settings = {"listen_addresses": "127.0.0.1", "fsync": "off", "unix_socket_directories": ""}
        settings |= dict.fromkeys(limits, f"{LIMIT_SECONDS}s")
        command = [server, "-D", data, "-p", str(port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        at_once = signal.SIGINT  # after SIGTERM it would wait for its clients
        with running(command, port, user, place / "log", ready="ready to accept connections", stop=at_once):
            yield port


@contextlib.contextmanager
def mariadb() -> Iterator[int]:
    """Run a MariaDB server with a user ``auditor`` who may do anything."""
    install = program("mariadb-install-db", "usr/bin")
    server = program("mariadbd", "usr/sbin")
    user, port = other_user("mysql"), free_port()
    with folder(user) as place:
        data = str(place / "data")
        subprocess.run(
            [install, "--no-defaults", f"--datadir={data}", "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            user=user, check=True, capture_output=True, cwd=place, timeout=LIMIT_SECONDS,
        )  # fmt: skip
        setup = place / "setup.sql"
        setup.write_text(
            f"CREATE USER auditor@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO auditor@'%' WITH GRANT OPTION;\n"
        )
        setup.chmod(0o644)
        command = [server, "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1",
                   "--skip-name-resolve", f"--max-statement-time={LIMIT_SECONDS}",
                   f"--lock-wait-timeout={LIMIT_SECONDS}", f"--innodb-lock-wait-timeout={LIMIT_SECONDS}",
                   f"--socket={place}/socket", f"--init-file={setup}", f"--pid-file={place}/pid"]  # fmt: skip
        with running(command, port, user, place / "log", ready="ready for connections"):
            yield port
