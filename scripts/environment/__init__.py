"""Environments and pins: what `make` installs, from constraints.txt."""
