"""What text is judged, and what it is made of."""
