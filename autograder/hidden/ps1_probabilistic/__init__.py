"""Hidden tests of PS1."""
