"""The documents that reports show: schemas alone."""
