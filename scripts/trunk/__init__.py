"""Your own face network in place of the shipped verifier's: `python -m scripts.trunk install`."""
