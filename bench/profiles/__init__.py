"""The product's own work on contacts: webhooks through the agents of contacts and people, against earlier code, no work and work by hand."""
