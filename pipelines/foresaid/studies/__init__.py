"""Studies: one question a folder."""
