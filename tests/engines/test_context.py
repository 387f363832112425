import ast
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

import llm_audit
from llm_audit.classify import Classifier
from llm_audit.classify.hashing import BUCKETS
from llm_audit.classify.learning.calibration import Calibration
from llm_audit.engines import IngestOptions, ingest
from llm_audit.engines.context import AUDIT_HALF, IngestConfig, code_fingerprint, hash_ingest_files, load_context
from llm_audit.ledger.cache_folder import FOLDER_VARIABLE

ROOT = Path(llm_audit.__file__).parent
ENTRY_POINTS = ("llm_audit.engines.local", "llm_audit.engines.worker", "llm_audit.engines.context")


def module_file(name: str) -> Path | None:
    path = ROOT.joinpath(*name.split(".")[1:])
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def imported_names(file: Path) -> set[str]:
    """Every absolute import in a file, wherever it stands: ``from a import b`` may import the module ``a.b``."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"a relative import in {file}"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def import_closure() -> set[str]:
    """Paths in the package of all modules that ingest imports, directly or not, with the packages around them."""
    waiting, found = set(ENTRY_POINTS), set()
    while waiting:
        name = waiting.pop()
        for part in (name.rsplit(".", depth)[0] for depth in range(name.count(".") + 1)):
            file = module_file(part) if part.split(".")[0] == "llm_audit" and part != "llm_audit" else None
            if file is not None and file not in found:
                found.add(file)
                waiting |= imported_names(file)
    return {file.relative_to(ROOT).as_posix() for file in found}


def test_all_that_ingest_imports_is_covered() -> None:
    closure = import_closure()
    assert {"vocabulary.py", "money.py", "model_names/lines.py", "sources/formats/registry.py"} <= closure
    assert {path for path in closure if path.split("/")[0] in AUDIT_HALF} == set()


def test_a_change_of_any_file_that_ingest_imports_changes_the_fingerprint(tmp_path: Path) -> None:
    assert hash_ingest_files(ROOT) != code_fingerprint()  # which also covers plug-ins
    for path in sorted(import_closure()):  # a package of this file alone, since each fingerprint reads the package
        package = tmp_path / path.replace("/", "-")
        (package / path).parent.mkdir(parents=True)
        (package / path).write_bytes((ROOT / path).read_bytes())
        before = hash_ingest_files(package)
        with (package / path).open("ab") as file:
            file.write(b"# changed")
        assert hash_ingest_files(package) != before, path


def test_a_change_of_the_audit_half_does_not_change_the_fingerprint(tmp_path: Path) -> None:
    package = Path(shutil.copytree(ROOT, tmp_path / "llm_audit"))
    before = hash_ingest_files(package)
    assert before == hash_ingest_files(ROOT)
    (package / "report" / "text.py").write_text("# changed")
    assert hash_ingest_files(package) == before


@pytest.fixture
def calibration(tmp_path: Path) -> Path:
    path = tmp_path / "calibration.json"
    Calibration(
        classifier=Classifier.load().fingerprint,
        outcomes=1,
        buckets=np.arange(BUCKETS),
        weights=np.full(BUCKETS, 0.1),
        shift={},
        shift_sd={},
        most=math.inf,
        before=1.0,
        after=1.0,
    ).save(path)
    return path


def test_options_that_change_a_row_change_the_fingerprint(calibration: Path) -> None:
    configs = [
        IngestConfig(),
        IngestConfig(log_format="flat"),
        IngestConfig(mapping={"model": "$.m"}),
        IngestConfig(calibration=str(calibration)),
    ]
    assert len({config.fingerprint() for config in configs}) == len(configs)


def test_a_cached_ledger_is_not_reused_under_a_calibration(
    calibration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    prompt = "Prove that every finite group of prime order is cyclic, and name all of its subgroups."
    log = tmp_path / "log.jsonl"
    log.write_text(
        f'{{"model": "gpt-4o", "prompt": "{prompt}", "input_tokens": 9, "output_tokens": 9, "time": "2026-01-01"}}\n'
    )
    plain, calibrated = (
        ingest([log], options=IngestOptions(jobs=1, calibration=path)).frame["difficulty"][0]
        for path in (None, calibration)
    )
    assert plain != calibrated


def test_what_a_run_has_loaded_is_that_of_the_run() -> None:
    config = IngestConfig()
    first = load_context(config, "one")
    assert load_context(config, "one") is first
    assert load_context(config, "another") is not first
