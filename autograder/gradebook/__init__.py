"""A term's grades from exports: the course's rule on late hours, applied exactly and explained number by number."""
