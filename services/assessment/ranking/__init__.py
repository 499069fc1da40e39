"""Ranking 排名 of units within peer groups."""
