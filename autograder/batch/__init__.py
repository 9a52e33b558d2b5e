"""A class of submissions: read from an export, graded on all cores or a cluster, resumable, compared with before."""
