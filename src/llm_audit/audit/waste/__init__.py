"""Waste unrelated to routing."""
