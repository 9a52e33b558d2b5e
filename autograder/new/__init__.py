"""Skeletons of a question: its source, its hidden tests, its variants, and its line in `course.toml`."""
