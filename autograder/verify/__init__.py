"""Proof that the graders are right: variants, the matrix of verdicts, mutation."""
