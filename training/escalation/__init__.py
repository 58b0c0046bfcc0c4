"""The risk that a conversation escalates: a few figures of its turns, weighed on labelled calls."""
