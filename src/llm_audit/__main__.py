"""``python -m llm_audit``."""

from llm_audit.cli import main

main()
