"""What speaks: one room per outside thing. Imports only `schemas`."""
