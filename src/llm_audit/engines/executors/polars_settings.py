"""Settings of polars for a process that others work beside, which loads this module first; the user's own go before."""

import os

for _name, _value in {
    "POLARS_MAX_THREADS": "1",  # each core has a process, and a thread more would hold memory of its own
    "_RJEM_MALLOC_CONF": "narenas:2,dirty_decay_ms:500,muzzy_decay_ms:0",  # give back soon what is freed
}.items():
    os.environ.setdefault(_name, _value)
