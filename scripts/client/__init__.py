"""The client for the terminal: `python -m scripts.client`."""
