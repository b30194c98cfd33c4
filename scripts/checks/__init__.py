"""Checks of the project on itself: mutants that a test must notice, and the gateway beside its own document."""
