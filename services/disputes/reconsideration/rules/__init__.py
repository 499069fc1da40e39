"""What the Reconsideration Law (2023) says of steps, periods and outcomes, in plain Python."""
