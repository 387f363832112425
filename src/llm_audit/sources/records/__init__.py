"""What the adapters of log formats share."""
