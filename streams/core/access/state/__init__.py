"""What is stored of a tenant."""
