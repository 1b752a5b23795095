"""Coming in and going out: `sign_in` by password, by `provider`; my `account`, and the open `sessions`."""
