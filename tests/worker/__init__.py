"""The worker as grading uses it, and every way to fail."""
