"""Transfer: what phenotypes of one species or population say about lines of another."""
