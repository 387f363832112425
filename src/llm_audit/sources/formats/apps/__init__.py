"""Formats of applications around models: chat front ends and builders of assistants."""
