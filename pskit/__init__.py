"""The students side: what the notebooks import."""
