"""How a class did: from results.json files to one page. It reads what is written and changes nothing."""
