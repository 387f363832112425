"""Readers of the parts of a record, shared by the adapters of log formats."""
