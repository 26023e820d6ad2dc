"""How much of a bare web server's speed is left when every post is verified, kept safe and only then answered."""
