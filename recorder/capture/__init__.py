"""The call is live: is it in scope, was the announcement heard, what did the caller choose."""
