"""The Gradescope zip of a set: pskit, the grading code, the set's hidden tests and data, nothing from solutions/."""
