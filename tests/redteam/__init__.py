"""Attacks on the grader, and the tests that run them."""
