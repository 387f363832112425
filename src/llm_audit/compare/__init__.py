"""Two audits compared, and gates on one."""
