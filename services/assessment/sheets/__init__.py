"""Sheets 查验单: what an inspector on site or a third party found, result by result."""
