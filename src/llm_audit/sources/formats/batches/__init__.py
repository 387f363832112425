"""Files of batch APIs."""
