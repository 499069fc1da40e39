"""Clue exchange 线索: taken in, answered with a receipt, routed, followed, answered back to the sender."""
