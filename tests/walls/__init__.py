"""Every wall, attacked from inside a worker. Where the host lacks a wall, its tests are skipped and say so."""
