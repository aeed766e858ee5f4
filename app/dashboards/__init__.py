"""Pages that people look at while it happens: what is sold today, what is in circulation, where people wait."""
