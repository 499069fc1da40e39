"""Decisions 重大行政决策: procedures recorded step by step, and how well they keep to the template."""
