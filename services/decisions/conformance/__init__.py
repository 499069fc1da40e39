"""Conformance 合规评价: the 26 items of the template over the recorded facts."""
