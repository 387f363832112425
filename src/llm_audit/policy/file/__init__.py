"""Policy files: what one says, reading, checking and exporting it."""
