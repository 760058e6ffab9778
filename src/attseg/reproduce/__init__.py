"""A paper's table once more: its runs (``plan``), done (``run``), put beside the paper (``lines``), and ``shown``."""
