"""Routes: the model that each request or trace is given."""
