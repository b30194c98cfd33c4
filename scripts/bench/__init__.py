"""The benchmark of the whole system: `python -m scripts.bench`."""
