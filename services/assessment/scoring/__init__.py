"""Scoring 计分: the event log, indicator states, roll-up."""
