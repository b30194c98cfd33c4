"""What a stage and a kind of job are, and the registry that finds every one of them."""
