"""Reconsideration 行政复议: cases, statutory clocks, outcomes, and what they say of the organs."""
