"""What requests would have cost on other routes."""
