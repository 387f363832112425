"""Invoices of providers, tied out with an audit."""
