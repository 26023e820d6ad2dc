"""What each kind of fact does to a tenant's rows."""
