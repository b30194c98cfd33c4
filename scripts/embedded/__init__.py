"""The embedded system: `python -m scripts.embedded` starts the gateway and the workers as child processes."""
