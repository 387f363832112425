"""Calibration, evaluation and sampling on outcomes."""
