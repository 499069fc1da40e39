"""Partners 外部系统: which outside systems we know, their keys, and how they sign."""
