"""Parts of the reader of OpenTelemetry spans."""
