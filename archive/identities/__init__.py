"""Ways to know who somebody is: `port` says what a driver is; `local`, `directory` (LDAP) and `provider` (OIDC) are three."""
