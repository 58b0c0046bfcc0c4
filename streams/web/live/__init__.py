"""`edgewise page`: the line as people look at it, in a browser, while it runs."""
