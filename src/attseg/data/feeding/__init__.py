"""From a data set to batches: crops, order, worker processes."""
