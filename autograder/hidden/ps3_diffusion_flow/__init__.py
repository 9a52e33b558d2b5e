"""Hidden tests of PS3."""
