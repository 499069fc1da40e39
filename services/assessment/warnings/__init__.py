"""Warnings 预警: lines crossed, falls, overdue duties and findings, each kept with what it saw. Start at rules.py."""
