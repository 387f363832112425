"""What a report may show: schemas alone."""
