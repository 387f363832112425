"""Custom logs, databases and published traces."""
