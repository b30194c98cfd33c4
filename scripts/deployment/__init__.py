"""What the Docker stack needs around its containers: secrets, backups, downloads, the swarm example."""
