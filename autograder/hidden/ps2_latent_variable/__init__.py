"""Hidden tests of PS2."""
