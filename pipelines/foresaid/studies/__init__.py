"""Studies, one question a folder or file: reproductions of papers, experiments, protocols, decision aids. Each is reached by a
command.

May import every room up to `evaluation`.
"""
