"""Settings of all tests."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from tests.pictures import draw

# Each worker compiles every test module, and each process that a test starts the whole program, unless it is kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Tests run on as many cores as there are workers; test_end_to_end.py has several threads give the same bytes.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

# How long an example takes says what else the machine does; a test that hangs meets the limit of pytest-timeout.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

SLOWEST = {
    "test_archives.py",
    "test_assemble.py",
    "test_canaries.py",
    "test_ci_files.py",
    "test_clickhouse.py",
    "test_counterfactual.py",
    "test_dask_cluster.py",
    "test_end_to_end.py",
    "test_failures.py",
    "test_kept.py",
    "test_kept_audit.py",
    "test_large.py",
    "test_notebook.py",
    "test_partial.py",
    "test_partitions.py",
    "test_update.py",
    "test_wheel.py",
    "test_workspace.py",
}


@pytest.fixture(scope="session", autouse=True)
def _each_picture_is_drawn_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("vl_convert.vegalite_to_svg", draw)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect without looking for garbage, and never look for it among modules and tests, which all stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the slowest files first: no worker should be left with one of them when the others are done."""
    items.sort(key=lambda item: item.path.name not in SLOWEST)
