"""Written answers: found in a submission, printed as one PDF per student, handed to nbgrader's formgrader.

Nothing of a submission is executed. What this does not protect against: a picture may show anything.
"""
