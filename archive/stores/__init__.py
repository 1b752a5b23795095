"""Places that keep sealed objects, and custodians of keys: `port`, `local`, `custody`, `refusals`."""
