"""Known defects of upstream files, each measured anew on a mirror, so that none comes back unseen.

May import the top files, `sources` and `registry`.
"""
