"""The ingress compared with a bare web server: every post is verified and stored before it is answered."""
