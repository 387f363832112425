"""Home-made logs, databases and published traces."""
