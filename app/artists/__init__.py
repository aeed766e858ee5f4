"""Artists of the network: who they are, in words, links and photos. Their public pages: app.programme."""
