"""The ledger, the catalog and probabilities as arrays that policies work on."""
