"""Replay 重放: a period scored again under another framework, aside from what is kept."""
