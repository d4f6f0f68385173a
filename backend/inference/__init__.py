"""What answers: the protocol of every engine, text from token ids, how long an answer takes. No torch."""
