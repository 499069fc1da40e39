"""Publication 公布: closing of periods, published rankings, and the bundle by which anybody checks them."""
