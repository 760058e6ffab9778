"""From a model and a data set to a report: prediction, counting, and the pictures of both."""
