"""The report's charts: functions from a document to inline SVG."""
