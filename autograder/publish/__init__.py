"""What students may see, copied to the public mirror: by an allow-list, searched for leaks, committed and tagged."""
