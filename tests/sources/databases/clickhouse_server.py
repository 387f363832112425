"""ClickHouse's engine behind a little of its HTTP interface, as a program: ``clickhouse_server.py PORT PASSWORD``.

The engine and its SQL are those of the ``chdb`` wheel; logins, the form of errors and cut answers are made here.
"""

from __future__ import annotations

import base64
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from chdb.session import Session

_CODE = re.compile(r"Code: (\d+)")
_NOT_SETTINGS = frozenset(
    {"database", "query", "client_protocol_version", "session_id", "query_id", "compress", "wait_end_of_query"}
)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    engine: Session
    password: str
    cuts = 0
    turn = threading.Lock()  # the engine has one session

    def do_GET(self) -> None:
        self.answer(200, b"Ok.\n")

    def do_POST(self) -> None:
        given = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
        sql = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode() or given.get("query", "")
        if sql.startswith("-- cut"):  # the next so many answers
            Handler.cuts = int(sql.split()[2])
            self.answer(200, b"")
        elif (
            base64.b64decode(self.headers.get("Authorization", "Basic Og==")[6:]).decode().partition(":")[2]
            != self.password
        ):
            self.refuse("Code: 516. DB::Exception: default: Authentication failed: password is incorrect.", 403)
        else:
            self.run(sql, given)

    def run(self, sql: str, given: dict[str, str]) -> None:
        try:
            with self.turn:
                found = self.asked(sql, given)
        except RuntimeError as error:
            self.refuse(str(error), 500)
            return
        if Handler.cuts and "`observations`" in sql and len(found) > 20_000:
            Handler.cuts -= 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found[: len(found) // 2])
            self.close_connection = True
            return
        self.answer(200, found)

    def asked(self, sql: str, given: dict[str, str]) -> bytes:
        settings = [f"{name} = {quoted(value)}" for name, value in given.items() if name not in _NOT_SETTINGS]
        self.engine.query(f"USE `{given.get('database', 'default')}`")
        if settings and not sql.lstrip().upper().startswith(("CREATE", "INSERT", "DROP", "ALTER")):
            form = re.search(r"\s+FORMAT\s+\w+\s*$", sql)
            place = form.start() if form else len(sql)
            sql = f"{sql[:place]} SETTINGS {', '.join(settings)}{sql[place:]}"
        return bytes(self.engine.query(sql, "TabSeparated").bytes())

    def refuse(self, message: str, status: int) -> None:
        code = _CODE.search(message)
        self.answer(status, message.encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "0"})

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Length": str(len(body)),
            "X-ClickHouse-Timezone": "UTC",
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Write no log."""


def quoted(value: str) -> str:
    return value if value.isdecimal() else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


if __name__ == "__main__":
    Handler.engine = Session()
    Handler.password = sys.argv[2]
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
