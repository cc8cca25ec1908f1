"""How far back each network reaches, whose loss is felt, and how saturated the gates are: three pages of one panel."""
