"""Questions into `psN.ipynb` and README, and the leak check.

nbgrader takes seconds to import, so this package imports nothing by itself: use `release.build`, `release.reference`,
`release.leak` and `release.secrets`.
"""
