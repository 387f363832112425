"""Reports: one audit document, rendered in many formats."""
