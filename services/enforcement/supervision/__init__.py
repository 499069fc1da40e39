"""Supervision 执法监督: leads from petition, hotline and courts, and what became of them (行政执法监督条例)."""
