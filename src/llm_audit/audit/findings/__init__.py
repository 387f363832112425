"""Findings: what to change first, who changes it and how, and what it saves."""
