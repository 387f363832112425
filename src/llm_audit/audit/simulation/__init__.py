"""Several policies on one log, partition by partition."""
