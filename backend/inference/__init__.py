"""One engine for all who ask: scheduler, sampler, detokenizer, the protocol of decoders; how long an answer takes. No torch."""
