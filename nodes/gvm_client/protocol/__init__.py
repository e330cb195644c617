"""Words, rules and bytes of the protocol: no sockets, no clock."""
