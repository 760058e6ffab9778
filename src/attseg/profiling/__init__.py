"""Cost of a network: counted without running it (``count``), and measured (``speed``, ``memory``)."""
