"""Access: who is asking, what a route demands, and the tokens that carry it between processes."""
