"""Sums over requests that merge by addition."""
