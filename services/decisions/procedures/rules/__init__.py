"""What the regulation says of steps, gates and materials, in plain Python."""
