"""Find log files, open them, detect their format and account for every record."""
