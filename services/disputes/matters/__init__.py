"""Matters 事项: what petition, hotline and court systems hand over, until it is answered."""
