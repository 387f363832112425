"""One request or one trace in full."""
