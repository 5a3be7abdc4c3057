"""A market without an exchange: seeded, pure, at any time."""
