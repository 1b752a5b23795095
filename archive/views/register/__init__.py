"""Into the register and out of the book: `registering` a draft, `papers` kept without a file, `books` with legal columns."""
