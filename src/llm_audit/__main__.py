"""``llm-audit`` and ``python -m llm_audit``."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules are loaded shows no traceback

from llm_audit.cli import main

if __name__ == "__main__":
    main()
