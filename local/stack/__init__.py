"""The repository's own template on a local AWS, and a receiver to deliver to. Loopback only."""
