"""Which model each request or trace is given."""
