"""`edgewise demo`: the whole line on this machine, and its report."""
