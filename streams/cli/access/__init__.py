"""Groups of commands of the verb `access`, one file each."""
