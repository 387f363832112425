"""Formats of usage and cost exports: rows of a dashboard or a usage API."""
