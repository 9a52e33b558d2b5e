"""The Gradescope zip of a set: pskit, the grading code, that set's hidden tests and data, and nothing from solutions/."""
