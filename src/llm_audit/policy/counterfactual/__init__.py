"""Costs of requests on other routes."""
