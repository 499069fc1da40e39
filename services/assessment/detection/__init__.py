"""Detection 弄虚作假线索识别: figures that look made for the score; each is a draft for a person to look at."""
