"""What CGRU's Afanasy loads on its hosts: a parser and a service, copied into its folders."""
