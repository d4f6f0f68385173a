"""What teachers are asked: batches, cache, ensemble, best-of-n, judge, self-instruct."""
