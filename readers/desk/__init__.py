"""The card desk: keys and addresses are written on cards at a reader, one after the other."""
