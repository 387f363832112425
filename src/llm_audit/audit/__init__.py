"""Estimates and what goes with them."""
