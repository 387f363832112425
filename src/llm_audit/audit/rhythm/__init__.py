"""The log's weekly rhythm: the run rate, and days that depart from it."""
