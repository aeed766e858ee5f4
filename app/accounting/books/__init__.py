"""The books of the network and of each venue: journal entries made from the ledger and the sold items, closed for good
month by month, and the files and tables that an accountant takes away."""
