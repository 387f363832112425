"""Logs of gateways."""
