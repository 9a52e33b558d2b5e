"""Pairs of submissions that share more than the release and the class give them. It reads, and never changes a grade.

Only the definitions that are graded are compared, parsed and never run. Comments, layout, docstrings and the names of
local variables do not count; what the release holds is taken out; what many write weighs little (tf-idf).

What this does not prove: that anybody copied. Two students can find one way; a rewritten copy is not found. It orders
what people should read side by side.
"""
