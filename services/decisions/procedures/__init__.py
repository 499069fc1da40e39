"""Procedures 决策程序: what is recorded of each decision, and the gates between the steps."""
