"""Disputes 多元化解: the register of reconsideration cases with its clocks, and matters other systems hand over."""
