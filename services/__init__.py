"""facekit's running half: gateway and the three model workers, one folder a service."""
