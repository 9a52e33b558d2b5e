"""A set for other programs: a course folder for nbgrader, tests for Otter. Hidden tests stay here."""
