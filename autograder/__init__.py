"""Tools that release, check, grade, prove and package the problem sets."""
