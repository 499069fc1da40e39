"""Imports of real input."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
