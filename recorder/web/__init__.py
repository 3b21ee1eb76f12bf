"""The web application: pages for people, JSON for machines, the same rules for both."""
