"""Exports of tracers."""
