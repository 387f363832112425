"""Synthetic traffic for ``make_sample_logs.py``: a module for each app, and their shared code."""
