"""Where each role begins: `home`, the `desks` of the roles, and one row of them (`deskrows`)."""
