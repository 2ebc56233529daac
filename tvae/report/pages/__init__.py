"""What the notebooks show, one module a page. `study(...)` computes; its methods are figures, tables and players.

`tell` gives the prose of a page the numbers that stand in it.
"""
