"""Transfer between species and populations: one pair, and the map over many."""
