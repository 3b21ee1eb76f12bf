"""Who a person is: accounts, passwords, second factors, sessions (R8.1d)."""
