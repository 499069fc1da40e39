"""Rectification 督办整改: orders with an owner and a due time, until a recorded outcome. Start at rules.py."""
