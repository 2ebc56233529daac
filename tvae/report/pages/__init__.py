"""What the notebooks show, one module a page: `study(...)` computes, the methods of what it returns are figures and tables.

A page tells its prose the numbers that stand in it with `tell`.
"""
