"""The parts of a build that need code: what a wheel is tagged, and where it is built. All else is in pyproject.toml.

``LLM_AUDIT_PURE=1`` leaves the C extensions out; without a compiler they are left out by themselves. Either way the
wheel is tagged ``py3-none-any``.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext


class Build(build):
    """A build in a folder of its own, so that nothing of an earlier one gets into a wheel."""

    def initialize_options(self) -> None:
        """Build in a temporary folder unless ``--build-base`` names one."""
        super().initialize_options()
        self.build_base = tempfile.mkdtemp(prefix="llm-audit-build-")
        atexit.register(shutil.rmtree, self.build_base, ignore_errors=True)


class BuildExtensions(build_ext):
    """The C extensions, unless they are to be left out."""

    def finalize_options(self) -> None:
        """Leave the extensions out where the environment says so."""
        if os.environ.get("LLM_AUDIT_PURE", "0") not in {"", "0"}:
            self.distribution.ext_modules = []
        super().finalize_options()


class Wheel(bdist_wheel):
    """A wheel whose tag follows from what was built, not from what was to be built."""

    def run(self) -> None:
        """Build first, and tag the wheel as pure Python where no extension came of it."""
        self.run_command("build")
        built = Path(self.get_finalized_command("build").build_lib)
        if not any(path.suffix in {".so", ".pyd"} for path in built.rglob("*")):
            self.distribution.ext_modules = []
            self.root_is_pure = True
        super().run()


setup(cmdclass={"build": Build, "build_ext": BuildExtensions, "bdist_wheel": Wheel})
