"""Files of every format as records, in bounded memory."""
