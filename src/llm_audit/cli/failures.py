"""The exit code and the message of everything that can end a command."""

from __future__ import annotations

import errno
import re

from llm_audit.errors import AuditError, ExitCode

_OS_ERROR = re.compile(r"\((?:os error |\[?[Ee]rrno )(\d+)[\])]|\[Errno (\d+)\]")
_NO_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_LOW_ADDRESS_LIMIT = 16 << 30  # bytes; under it, what fails within native code most likely lacked memory
NATIVE_CRASH = (
    "Internal error: native code crashed ({}), possibly because memory ran out. Try fewer --jobs; if that does not "
    "help, report it with the output of `llm-audit --version -v`."
)
_MEMORY = "Memory ran out. Use fewer --jobs, or audit fewer logs at once."


def explain(error: BaseException) -> tuple[ExitCode, str]:
    """Return the exit code for an error, and a sentence for the user."""
    if isinstance(error, AuditError):
        return error.exit_code, str(error)
    if isinstance(error, MemoryError):
        return ExitCode.USAGE, _MEMORY
    number = _errno(error)
    if number == errno.ENOMEM:
        return ExitCode.USAGE, _MEMORY
    if number in _NO_SPACE:
        return ExitCode.USAGE, (
            f"Cannot write{_place(error)}: no space is left. Free some, or let TMPDIR and LLM_AUDIT_CACHE_DIR name "
            "folders on another disk."
        )
    if isinstance(error, OSError) and error.strerror:
        return ExitCode.USAGE, f"Cannot use{_place(error) or ' a file'}: {error.strerror}. Check it and run again."
    return _unexplained(type(error).__name__)


def _unexplained(failure: str) -> tuple[ExitCode, str]:
    if address_limit() is not None:
        return ExitCode.USAGE, limited(failure)
    return ExitCode.INTERNAL, (
        f"Internal error: {failure}. This is a bug in llm-audit, not a problem with your logs; run again "
        "with LLM_AUDIT_DEBUG=1 for the details to report."
    )


def address_limit() -> int | None:
    """Return the bytes of memory that this process may address, where that is little; None where it is not."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return limit if 0 <= limit < _LOW_ADDRESS_LIMIT else None


def limited(failure: str) -> str:
    """Say what failed for want of memory that a limit keeps from this process."""
    mib = (address_limit() or 0) >> 20
    return (
        f"Memory ran out, most likely ({failure}): `ulimit -v` lets this process address {mib:,} MiB only. Raise the "
        "limit to 4 GiB or more, or use fewer --jobs."
    )


def _errno(error: BaseException) -> int | None:
    """Return the system's error number; libraries in native code give it in the text only."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    if not isinstance(error, Exception) or type(error).__module__.partition(".")[0] not in {"polars", "pyarrow"}:
        return None
    found = _OS_ERROR.search(str(error))
    return int(found[1] or found[2]) if found else None


def _place(error: BaseException) -> str:
    file = error.filename if isinstance(error, OSError) else None
    return f" {file}" if isinstance(file, str) else ""
