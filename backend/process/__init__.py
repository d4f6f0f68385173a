"""Child processes: started, bound to their parent, limited in memory, and why they died. No torch."""
