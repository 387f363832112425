"""The parts of the synthetic traffic that ``make_sample_logs.py`` writes: one module an app, and what they share."""
