"""What others may rely on, as documents that are made from the tables: a page for people, and an AsyncAPI description for programs."""
