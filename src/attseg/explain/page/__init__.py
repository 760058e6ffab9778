"""A page a picture: the viewer (``viewer.js``, ``viewer.css``), which the explorer shares, and what makes one file of it all."""
