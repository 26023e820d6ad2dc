"""The access agent over a large directory: facts a second, CPU a fact and memory a person, against the earlier commit."""
