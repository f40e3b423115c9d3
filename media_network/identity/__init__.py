"""Who a party is: a certificate with a SPIFFE id, the authority that signs it, and what TLS makes of both."""
