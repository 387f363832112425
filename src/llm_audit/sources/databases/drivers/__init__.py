"""Drivers: a module a kind of database, named after it, with its ``DRIVER``."""
