"""What a network costs: counted without computing anything (``count``), and measured (``speed``, ``memory``)."""
