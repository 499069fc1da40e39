"""Gateway 网关: the directory of units, who is who, and the clue exchange with outside systems."""
