"""Fazhi 法治一体: the command line and the composition of the services."""
