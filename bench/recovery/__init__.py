"""How long a table takes to come back from its changelog: ours, and stock Faust's."""
