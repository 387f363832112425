"""Selection of the text that is judged, and its features."""
