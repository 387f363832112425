"""Offline token counts."""
