"""Finding log files, opening them, and cutting them into items."""
