"""The site: pages, sections, charts, texts, downloads.

May import every room up to `studies`.
"""
