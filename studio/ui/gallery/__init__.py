"""Sample data: five small data sets, one per goal, in English and Spanish."""
