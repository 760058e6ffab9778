"""Training, evaluation and saving in one call each, for Python: ``attseg.train``, ``attseg.evaluate`` and ``attseg.save``."""
