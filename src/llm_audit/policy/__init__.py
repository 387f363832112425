"""Policies, gates and routes."""
