"""The releases as web pages that need no notebook program, no script and no network."""
