"""Check the FOCUS files of a report with the FinOps Foundation's own validator.

Run as ``python scripts/check_focus.py``. It audits the sample logs with a price file of its own, so that list and
contracted cost differ, and gives the FOCUS 1.2 file to focus_validator in a throwaway environment. Its rules for 1.2
are in the package, so nothing is downloaded but packages.

The validator asks for Python 3.12 for a single expression; on 3.11 that one is rewritten and the rest runs as it is.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VALIDATOR = "focus_validator==2.2.1"
NEEDS = (
    "pandas>=2,<3", "tabulate", "pyarrow<22", "pydantic>=2.12,<3", "pyyaml", "requests", "pandera>=0.26.1,<0.27",
    "multimethod>=2.0,<2.1", "sqlglot>=27.28.1,<28", "jsonschema", "numpy>=1.26,<2", "pytz", "pandasql", "polars>=1.34",
    "ddt", "duckdb>=1.4.1,<2", "graphviz",
)  # fmt: skip
"""What the validator depends on; newer versions of pyarrow need another numpy than it allows."""
NEWER_SYNTAX = r"""f"'{k.replace('\"', '\"\"')}'" for k in ignore_keys"""
OLDER_SYNTAX = """"'" + k.replace('"', '""') + "'" for k in ignore_keys"""
SUPPORTED = (
    "PUBLIC_PRICE_LIST", "UNIT_PRICING", "USAGE_MEASUREMENT", "NEGOTIATED_PRICING", "SUB_ACCOUNT", "REGION", "TAGGING",
    "MULTIPLE_PRICING_CATEGORIES", "BILLING_BASED_ON_PROVISIONED_RESOURCES", "RESOURCE_TYPE_ASSIGNMENT",
)  # fmt: skip
"""What the file's producer has, which decides the rules that apply."""
NOT_CHECKED = {"InvoiceId-C-005-C"}
"""The rule that a charge on an invoice names it: the validator applies it to charges on no invoice as well."""
FEWEST_PASSED = 250
DISCOUNT = '[[discount]]\nprovider = "anthropic"\npercent = 12\nsource = "contract"\n'


def main() -> None:
    """Write the file, make the environment, run the validator in it, and fail where a rule does."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = focus_file(folder)
        python = environment(folder)
        criteria = ",".join(f"{each}_SUPPORTED" for each in SUPPORTED)
        command = [python, "-c", "from focus_validator.main import main; main()", "--data-file", file]
        command += ["--validate-version", "1.2", "--block-download", "--applicability-criteria", criteria]
        done = subprocess.run(command, cwd=folder / "source", capture_output=True, text=True, check=False)
        passed = set(re.findall(r"([\w-]+): PASS", done.stdout))
        failed = set(re.findall(r"([\w-]+): FAIL", done.stdout))
        if done.returncode or failed != NOT_CHECKED or len(passed) < FEWEST_PASSED:
            print(done.stdout[done.stdout.find("--- Failures") :], done.stderr[-2000:])
            sys.exit(f"FOCUS 1.2: {len(passed)} rules passed, {', '.join(sorted(failed)) or 'none'} failed.")
        print(f"FOCUS 1.2: {len(passed)} rules passed; {', '.join(NOT_CHECKED)} cannot be checked by the validator.")


def focus_file(folder: Path) -> Path:
    """Audit the sample logs with a contract's prices, and return the FOCUS file."""
    file, prices = folder / "spend.focus.csv", folder / "prices.toml"
    prices.write_text(DISCOUNT)
    logs = Path(__file__).parents[1] / "sample_logs"
    audit = ["-m", "llm_audit", "analyze", logs, "--prices", prices, "-o", file, "-q", "--no-cache"]
    subprocess.run([sys.executable, *audit], check=True, stderr=subprocess.DEVNULL)
    return file


def environment(folder: Path) -> Path:
    """Make an environment with what the validator needs, unpack its source, and return the environment's Python."""
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    python = folder / "env/bin/python"
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", *NEEDS], check=True)
    options = ["--no-deps", "--no-build-isolation", "--no-binary", ":all:", "--ignore-requires-python"]
    subprocess.run([*pip, "install", "poetry-core"], check=True)
    subprocess.run([*pip, "download", *options, "-d", folder, VALIDATOR], check=True)
    (archive,) = folder.glob("focus_validator-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (folder / archive.name.removesuffix(".tar.gz")).rename(folder / "source")
    if sys.version_info < (3, 12):
        module = folder / "source/focus_validator/config_objects/focus_to_duckdb_converter.py"
        text = module.read_text(encoding="utf-8")
        assert text.count(NEWER_SYNTAX) == 1, f"{VALIDATOR} is not the version that this script was written for"
        module.write_text(text.replace(NEWER_SYNTAX, OLDER_SYNTAX), encoding="utf-8")
    return python


if __name__ == "__main__":
    main()
