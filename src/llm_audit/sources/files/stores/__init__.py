"""Object stores: addresses, clients, listings, and objects read by ranges with retries."""
