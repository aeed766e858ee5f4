"""What a settlement is made of, free of databases and files: amounts, netting, account numbers."""
