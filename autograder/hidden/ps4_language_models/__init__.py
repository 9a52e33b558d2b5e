"""Hidden tests of PS4."""
