"""The command line before any of its commands: its own help and version, and the application that runs commands."""
