"""From trained networks to the artifacts that a worker loads."""
