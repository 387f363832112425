"""Exact costs."""
