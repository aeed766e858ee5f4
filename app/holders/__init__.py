"""Accounts of holders: cards kept together under an e-mail address, for those who want it."""
