"""The forms of the office: what a person may type and choose; acts decide, forms only read."""
