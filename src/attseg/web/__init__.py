"""The explorer: a page on this computer that shows, live, what models see in pictures; ``attseg explore`` starts it.

It needs the extra ``app``. ``serve`` is the way in; ``app`` holds the requests, and everything that keeps a stranger's picture or
web page from doing harm is in ``guard``, ``body``, ``picture`` and ``folder``, with its figures in ``limits``.
"""
