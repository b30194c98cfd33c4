"""What only workers need: the loop around a stage, leases, heartbeats, model swaps. The gateway never imports it."""
