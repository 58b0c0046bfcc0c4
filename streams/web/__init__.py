"""What people look at: the report, and what it is drawn with. Nothing in it loads anything from elsewhere."""
