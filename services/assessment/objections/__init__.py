"""Objections 申诉 of units against a datum of the log, until a reasoned answer. Start at rules.py."""
