"""How a row of a case file becomes a case; plain Python, to be read beside the column file in the catalog."""
