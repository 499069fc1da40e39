"""The checks DEC-01 to DEC-26 and their sum, in plain Python."""
