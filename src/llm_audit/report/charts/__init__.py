"""The report's charts, each from a document to inline SVG."""
