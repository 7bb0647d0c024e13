"""Sections of law pages, one file a section.

May import every room up to `studies`.
"""
