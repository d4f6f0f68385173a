"""From records to examples, by the schema and the roles of a reading: one module per family of schemas."""
