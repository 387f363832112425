"""Providers' own requests and responses."""
