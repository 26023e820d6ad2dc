"""Backups: folders of files that hold topics, and the clusters they are taken from and restored to."""
