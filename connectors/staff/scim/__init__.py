"""A SCIM 2.0 server: identity providers write users and groups, which become facts of a source of staff."""
