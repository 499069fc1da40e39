"""Frameworks 考核指标体系 of the years."""
