"""Attack runs: kill them, damage their cache, spoil their documents, fill their disk. Nothing may be lost or wrong.

    python scripts/attack.py --kills 60 --flips 100 --documents 300 --seed 1

Works in a temporary folder on copies of sample logs, ends only processes that it started, and removes everything.
Prints what it did, and ends with 1 where anything did not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from llm_audit.cli import run

ROOT = Path(__file__).parent.parent
LOGS = ("tutoring", "code-agent/claude-code/-home-dev-quillmark", "doc-extraction/message-batch-results.jsonl")
OUTPUTS = ("audit.json", "audit.md", "requests.csv")
SIGNALS = {signal.SIGKILL: {-9}, signal.SIGTERM: {143, -15}, signal.SIGINT: {130, -2}}
LIMITS_KB = (0, 1, 4, 16, 64, 256)
VALUES: tuple[Any, ...] = (7, -1, 10**40, 1e300, float("inf"), "Infinity", "", None, {}, [], True, "9" * 40)


class Attack:
    """One folder with logs, a cache and the outputs of an undisturbed run."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.rng = rng
        self.faults: list[str] = []
        self.cache, self.tmp, self.pristine = folder / "cache", folder / "tmp", folder / "pristine"
        self.tmp.mkdir()
        (folder / "logs").mkdir()
        for name in LOGS:  # small ones, so that many runs fit into minutes
            log = ROOT / "sample_logs" / name
            (shutil.copytree if log.is_dir() else shutil.copy)(log, folder / "logs" / log.name)
        hour_ago = time.time() - 3600  # a file that has just changed is not recognised by its time
        for path in (folder / "logs").rglob("*"):
            os.utime(path, (hour_ago, hour_ago))
        os.chdir(folder)
        os.environ |= {"LLM_AUDIT_CACHE_DIR": str(self.cache), "TMPDIR": str(self.tmp)}
        tempfile.tempdir = None
        started = time.monotonic()
        self.process(None).communicate()
        self.seconds = time.monotonic() - started
        self.wanted = {name: Path(name).read_bytes() for name in OUTPUTS}
        shutil.copytree(self.cache, self.pristine)

    def arguments(self) -> list[str]:
        """Return the command."""
        outputs = [word for name in OUTPUTS for word in ("-o", name)]
        return ["analyze", "logs", "-q", "--jobs", "2", *outputs]

    def process(self, before: Callable[[], None] | None) -> subprocess.Popen[str]:
        """Start a run as a user does."""
        for name in OUTPUTS:
            Path(name).unlink(missing_ok=True)
        command = [sys.executable, "-m", "llm_audit", *self.arguments()]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=before)  # noqa: PLW1509

    def here(self, *arguments: str) -> tuple[int, str]:
        """Run a command in this process, which saves its start."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):
            code = run(list(arguments))
        return code, said.getvalue()

    def check_outputs(self, what: str, *, whole: bool) -> None:
        """Outputs are those of the undisturbed run; where the run was disturbed, each may be missing instead."""
        for name, wanted in self.wanted.items():
            path = Path(name)
            if (whole or path.exists()) and (not path.exists() or path.read_bytes() != wanted):
                self.faults.append(f"{what}: {name} is not that of an undisturbed run")

    def check_next_run(self, what: str) -> str:
        """Run again; the result is that of an undisturbed run, and nothing is left over. Return what was said."""
        for name in OUTPUTS:
            Path(name).unlink(missing_ok=True)
        code, said = self.here(*self.arguments())
        if code != 0:
            self.faults.append(f"{what}: the next run ended with {code}: {said}")
        self.check_outputs(f"{what}, next run", whole=True)
        if left := [*self.tmp.glob("llm-audit-*"), *Path().glob(".*partial")]:
            self.faults.append(f"{what}: left {left}")
        return said

    def kill(self, number: int) -> None:
        """Kill a run at a random point, with a cache or without."""
        ending = self.rng.choice(list(SIGNALS))
        what = f"kill {number} ({ending.name})"
        if number % 2:
            shutil.rmtree(self.cache, ignore_errors=True)
        process = self.process(None)
        time.sleep(self.rng.uniform(0, self.seconds * 1.05))
        process.send_signal(ending)
        said = process.communicate()[1]  # its output ends when the process that works for it has ended too
        if process.returncode not in SIGNALS[ending] | {0} or "Traceback" in said:
            self.faults.append(f"{what}: ended with {process.returncode}: {said}")
        self.check_outputs(what, whole=process.returncode == 0)
        self.check_next_run(what)

    def flip(self, number: int) -> bool:
        """Damage one file of the cache; return whether the run noticed."""
        shutil.rmtree(self.cache)
        shutil.copytree(self.pristine, self.cache)
        if number % 2:
            shutil.rmtree(self.cache / "ledgers")
        files = sorted(path for path in self.cache.rglob("*") if path.is_file())
        path = self.rng.choice(files)
        data = bytearray(path.read_bytes())
        match self.rng.randrange(6):
            case 0:
                del data[self.rng.randrange(len(data)) :]
            case 1:
                data[:] = self.rng.choice(files).read_bytes() + b"\0"
            case _:
                data[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
        path.write_bytes(data)
        return "was damaged in" in self.check_next_run(f"damage {number} of {path.relative_to(self.cache)}")

    def spoil_document(self, number: int) -> bool:
        """Change one field of an audit; return whether it was refused."""
        document = json.loads(self.wanted["audit.json"])
        path, parent, key = self.rng.choice(list(_fields(document)))
        match self.rng.randrange(8):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, dict):
                parent["unheard of"] = 1
            case _:
                parent[key] = self.rng.choice(VALUES)
        Path("spoilt.json").write_text(json.dumps(document))
        command = self.rng.choice([["report", "spoilt.json", "-f", "markdown"], ["diff", "spoilt.json", "audit.json"]])
        code, said = self.here(*command)
        if code not in {0, 2, 3} or (code == 2 and " - at `$" not in said):
            self.faults.append(f"document {number}, {path}: ended with {code}: {said}")
        return code == 2

    def fill_disk(self, kilobytes: int) -> None:
        """Let no file of a run grow beyond a size, as on a disk that is full."""

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, kilobytes << 10))

        what = f"no file above {kilobytes} kB"
        shutil.rmtree(self.cache, ignore_errors=True)
        process = self.process(limit)
        said = process.communicate()[1]
        if process.returncode not in {0, 2} or "Traceback" in said or (process.returncode and not said):
            self.faults.append(f"{what}: ended with {process.returncode}: {said}")
        self.check_outputs(what, whole=False)
        self.check_next_run(what)


def _fields(value: Any, path: str = "$") -> Iterator[tuple[str, Any, Any]]:
    """Yield the path of every field, what holds it, and its key there."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        inner = f"{path}.{key}"
        yield inner, value, key
        yield from _fields(item, inner)


def main() -> None:
    """Attack, and print what was done and what did not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("kills", 20), ("flips", 40), ("documents", 200), ("seed", 1), ("seconds", 1800)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    end = time.monotonic() + given.seconds
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        attack = Attack(Path(folder).resolve(), random.Random(given.seed))
        done = {"documents": 0, "flips": 0, "limits": 0, "kills": 0}
        refused = noticed = 0
        for number in range(given.documents):
            if time.monotonic() < end:
                refused += attack.spoil_document(number)
                done["documents"] += 1
        for number in range(given.flips):
            if time.monotonic() < end:
                noticed += attack.flip(number)
                done["flips"] += 1
        for kilobytes in LIMITS_KB if time.monotonic() < end else ():
            attack.fill_disk(kilobytes)
            done["limits"] += 1
        for number in range(given.kills):
            if time.monotonic() < end:
                attack.kill(number)
                done["kills"] += 1
        os.chdir(ROOT)
    print(f"documents spoilt: {done['documents']}, refused with the field's path: {refused}")
    print(f"cache entries damaged: {done['flips']}, noticed: {noticed} (the others were not read)")
    print(f"runs on a full disk: {done['limits']}")
    print(f"runs killed: {done['kills']}, an undisturbed one takes {attack.seconds:.1f} s")
    print(f"faults: {len(attack.faults)}")
    print("\n".join(attack.faults))
    sys.exit(bool(attack.faults))


if __name__ == "__main__":
    main()
