"""The main job played over HTTP, as a story: `make tour`, or `python -m dev.tour`.

What it expects is computed here, from the rules as they are written down, by code of its own:
nothing is imported from the rooms that it looks at.
"""
