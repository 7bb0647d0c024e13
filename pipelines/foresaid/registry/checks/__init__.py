"""Row rules and rules across rows, for files small and large.

May import the top files and `registry`.
"""
