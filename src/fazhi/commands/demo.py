"""Demonstration data."""

import typer

MARKER = "demonstration.json"


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
