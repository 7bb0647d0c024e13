"""How new downloads and results of one's own come into the record, and what changed between two downloads.

May import the top files, `sources` and `registry`.
"""
