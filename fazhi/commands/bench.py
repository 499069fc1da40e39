"""Benches: numbers beside a peer doing the same work in the same run."""

import typer


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
