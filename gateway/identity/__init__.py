"""Identity 身份: accounts, roles granted on units, sessions and tokens."""
