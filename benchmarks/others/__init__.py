"""The red team's target assignment in other graders' formats, and what each attack gains there."""
