"""A paper's table once more: the runs that it needs (``plan``), done (``run``), and put beside the paper (``lines``)."""
