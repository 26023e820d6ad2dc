"""Dead letters as an operator sees them: grouped by cause, sent again once the cause is gone, or dropped with a reason."""
